#ifndef TURNPIKE_CSIMDJSON_H
#define TURNPIKE_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What simdjson said, reduced to what the Swift side tells apart.
enum turnpike_json_code {
    TURNPIKE_JSON_OK = 0,
    TURNPIKE_JSON_NO_MEMORY = 1,
    TURNPIKE_JSON_TOO_DEEP = 2,
    TURNPIKE_JSON_INVALID_UTF8 = 3,
    TURNPIKE_JSON_EMPTY = 4,
    TURNPIKE_JSON_INVALID = 5,
};

/// The padded copy of the input and simdjson's working memory. Used by one thread at a time.
typedef struct turnpike_json_parser turnpike_json_parser;

/// Makes a parser that refuses nesting deeper than `max_depth`; null when there is no memory.
turnpike_json_parser *_Nullable turnpike_json_parser_create(size_t max_depth);

void turnpike_json_parser_destroy(turnpike_json_parser *_Nonnull parser);

/// First stage: copies `count` bytes into the padded buffer, checks their UTF-8 and finds the
/// tokens. Writes how many tokens there are (brackets, commas, colons and scalars), which bounds
/// the tape.
int turnpike_json_index(
    turnpike_json_parser *_Nonnull parser, const uint8_t *_Nonnull bytes, size_t count,
    size_t *_Nonnull tokens);

/// How many words of tape and bytes of strings the second stage may write for an indexed input.
size_t turnpike_json_tape_words(size_t tokens);
size_t turnpike_json_string_bytes(size_t count, size_t tokens);

/// Second stage: writes the tape and the strings of the input indexed last into the caller's
/// memory, which has room for what the two functions above say.
int turnpike_json_build(
    turnpike_json_parser *_Nonnull parser, uint64_t *_Nonnull tape, uint8_t *_Nonnull strings);

#ifdef __cplusplus
}
#endif

#endif
