// What Swift cannot reach in libcurl by itself: its variadic functions, once per type of argument.
// The epoll and eventfd declarations are included because Swift's Glibc module leaves them out.
#ifndef TURNPIKE_CCURL_SHIM_H
#define TURNPIKE_CCURL_SHIM_H

// The type-checking macros of <curl/typecheck-gcc.h> want the option to be a constant.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static inline CURLcode ccurl_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_easy_set_pointer(CURL *easy, CURLoption option, const void *value) {
    return curl_easy_setopt(easy, option, (void *)value);
}

static inline CURLcode ccurl_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}

typedef size_t (*ccurl_data_callback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode ccurl_easy_set_data_callback(
    CURL *easy, CURLoption option, ccurl_data_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

typedef curl_socket_t (*ccurl_open_socket_callback)(
    void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode ccurl_easy_set_open_socket(CURL *easy, ccurl_open_socket_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, callback);
}

// Copies the address that a socket is to be opened for, and says how many bytes it has: 4, 16, or 0
// for what is no IP address. Its declared type is shorter than an IPv6 address is.
static inline int ccurl_copy_address(const struct curl_sockaddr *address, unsigned char *bytes) {
    const void *start = &address->addr;
    if (address->family == AF_INET && address->addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in copy;
        memcpy(&copy, start, sizeof copy);
        memcpy(bytes, &copy.sin_addr, 4);
        return 4;
    }
    if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 copy;
        memcpy(&copy, start, sizeof copy);
        memcpy(bytes, &copy.sin6_addr, 16);
        return 16;
    }
    return 0;
}

// The same for an address as text.
static inline int ccurl_read_address(const char *text, unsigned char *bytes) {
    if (inet_pton(AF_INET, text, bytes) == 1) return 4;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

typedef int (*ccurl_before_request_callback)(
    void *context, char *remote, char *local, int remote_port, int local_port);

static inline CURLcode ccurl_easy_set_before_request(
    CURL *easy, ccurl_before_request_callback callback) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback);
}

static inline CURLcode ccurl_easy_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_easy_get_pointer(CURL *easy, CURLINFO info, void **value) {
    return curl_easy_getinfo(easy, info, (char **)value);
}

// Copies what stands behind `name` in the information about the server's own certificate, cut to `size` bytes with the
// zero; returns whether it is there.
static inline int ccurl_certificate_field(CURL *easy, const char *name, char *text, size_t size) {
    struct curl_certinfo *chain = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain) return 0;
    if (chain->num_of_certs < 1) return 0;
    for (struct curl_slist *field = chain->certinfo[0]; field; field = field->next) {
        if (strncmp(field->data, name, strlen(name)) != 0) continue;
        strncpy(text, field->data + strlen(name), size - 1);
        text[size - 1] = 0;
        return 1;
    }
    return 0;
}

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}

static inline CURLMcode ccurl_multi_set_socket_callback(
    CURLM *multi, curl_socket_callback callback) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback);
}

static inline CURLMcode ccurl_multi_set_timer_callback(
    CURLM *multi, curl_multi_timer_callback callback) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback);
}

// A union member cannot be passed through the `data` of CURLMsg without naming it.
static inline CURLcode ccurl_message_result(const CURLMsg *message) {
    return message->data.result;
}

// The C library declares its own only with _GNU_SOURCE, which a module cannot ask for.
static inline void ccurl_name_thread(const char *name) {
    prctl(PR_SET_NAME, name, 0, 0, 0);
}

#endif
