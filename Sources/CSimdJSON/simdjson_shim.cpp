#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <memory>
#include <new>

namespace {

// Room for what simdjson writes past the last token before it notices that the input ended.
constexpr size_t tape_slack = 32;
// Strings are copied a whole vector at a time, so up to one vector is written past the end.
constexpr size_t string_slack = 4 * simdjson::SIMDJSON_PADDING + 64;
constexpr size_t smallest_capacity = 4096;

int code_of(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return TURNPIKE_JSON_OK;
    case simdjson::MEMALLOC: return TURNPIKE_JSON_NO_MEMORY;
    case simdjson::DEPTH_ERROR: return TURNPIKE_JSON_TOO_DEEP;
    case simdjson::UTF8_ERROR: return TURNPIKE_JSON_INVALID_UTF8;
    case simdjson::EMPTY: return TURNPIKE_JSON_EMPTY;
    default: return TURNPIKE_JSON_INVALID;
    }
}

}  // namespace

struct turnpike_json_parser {
    simdjson::dom::parser parser;
    std::unique_ptr<uint8_t[]> input;
    size_t capacity = 0;
    size_t max_depth = 0;
};

extern "C" turnpike_json_parser *turnpike_json_parser_create(size_t max_depth) {
    auto *parser = new (std::nothrow) turnpike_json_parser;
    if (parser != nullptr) { parser->max_depth = max_depth; }
    return parser;
}

extern "C" void turnpike_json_parser_destroy(turnpike_json_parser *parser) { delete parser; }

extern "C" int turnpike_json_index(
    turnpike_json_parser *parser, const uint8_t *bytes, size_t count, size_t *tokens) {
    if (count > parser->capacity) {
        size_t capacity = smallest_capacity;
        while (capacity < count) { capacity *= 2; }
        parser->capacity = 0;
        parser->input.reset(new (std::nothrow) uint8_t[capacity + simdjson::SIMDJSON_PADDING]);
        if (!parser->input) { return TURNPIKE_JSON_NO_MEMORY; }
        auto error = parser->parser.allocate(capacity, parser->max_depth);
        if (error) { return code_of(error); }
        parser->capacity = capacity;
    }
    std::memcpy(parser->input.get(), bytes, count);
    std::memset(parser->input.get() + count, 0, simdjson::SIMDJSON_PADDING);
    auto &machine = *parser->parser.implementation;
    auto error = machine.stage1(parser->input.get(), count, simdjson::stage1_mode::regular);
    *tokens = error ? 0 : machine.n_structural_indexes;
    return code_of(error);
}

// A number is one token and two words; everything else is at most one word a token.
extern "C" size_t turnpike_json_tape_words(size_t tokens) { return 2 * tokens + tape_slack; }

// A string of the tape has four bytes of length before it and a zero after it. In the input it has
// two quotes and, but for the last, a separator; so the strings never outgrow five thirds of the
// input.
extern "C" size_t turnpike_json_string_bytes(size_t count, size_t tokens) {
    size_t by_tokens = count + 5 * tokens;
    size_t by_count = count + 2 * count / 3 + 8;
    return (by_tokens < by_count ? by_tokens : by_count) + string_slack;
}

extern "C" int turnpike_json_build(
    turnpike_json_parser *parser, uint64_t *tape, uint8_t *strings) {
    // The document borrows the caller's memory for the length of this call.
    simdjson::dom::document document;
    document.tape.reset(tape);
    document.string_buf.reset(strings);
    auto error = parser->parser.implementation->stage2(document);
    (void)document.tape.release();
    (void)document.string_buf.release();
    return code_of(error);
}
