import Testing

@testable import Gateway

@Suite struct MessagesConversations {
    private func sent(_ messages: String) throws -> (system: String?, messages: String?) {
        let written = try WrittenMessage(#""messages":[\#(messages)]"#)
        #expect(written.refusal == nil)
        return (written["system"], written["messages"])
    }

    @Test func `instructions stand apart, wherever they stood`() throws {
        let sent = try sent(
            #"{"role":"system","content":"a"},{"role":"user","content":"b"},"#
                + #"{"role":"developer","content":[{"type":"text","text":"c"},{"type":"text","text":""}]}"#
        )
        #expect(sent.system == #"[{"text":"a","type":"text"},{"text":"c","type":"text"}]"#)
        #expect(sent.messages == #"[{"content":[{"text":"b","type":"text"}],"role":"user"}]"#)
    }

    @Test func `who speaks twice in a row has one turn`() throws {
        let sent = try sent(
            #"{"role":"user","content":"a"},{"role":"user","content":"b"},"#
                + #"{"role":"assistant","content":"c"},{"role":"assistant","refusal":"d","content":null},"#
                + #"{"role":"user","content":""},{"role":"user","content":"e"}"#)
        #expect(sent.system == nil)
        #expect(
            try sent.messages
                == WrittenMessage.sorted(
                    #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},"#
                        + #"{"role":"assistant","content":[{"type":"text","text":"c"},{"type":"text","text":"d"}]},"#
                        + #"{"role":"user","content":[{"type":"text","text":"e"}]}]"#))
    }

    @Test func `calls and their results are blocks, with ids that the API takes`() throws {
        let sent = try sent(
            #"{"role":"user","content":"a"},{"role":"assistant","content":null,"reasoning_content":"r","#
                + #""tool_calls":[{"id":"functions.f:0","type":"function","function":{"name":"f","#
                + #""arguments":" {\"b\" : [1,\"\\u00e4\"]} "}},{"id":"c-2","type":"function","#
                + #""function":{"name":"g","arguments":""}}]},"#
                + #"{"role":"tool","name":"f","tool_call_id":"functions.f:0","content":"h"},"#
                + #"{"role":"tool","tool_call_id":"c-2","content":[{"type":"text","text":""}]},"#
                + #"{"role":"user","content":"i"}"#)
        #expect(
            try sent.messages
                == WrittenMessage.sorted(
                    #"[{"role":"user","content":[{"type":"text","text":"a"}]},"#
                        + #"{"role":"assistant","content":["#
                        + #"{"type":"tool_use","id":"functions_2ef_3a0","name":"f","input":{"b":[1,"ä"]}},"#
                        + #"{"type":"tool_use","id":"c-2","name":"g","input":{}}]},"#
                        + #"{"role":"user","content":["#
                        + #"{"type":"tool_result","tool_use_id":"functions_2ef_3a0","#
                        + #""content":[{"type":"text","text":"h"}]},"#
                        + #"{"type":"tool_result","tool_use_id":"c-2"},{"type":"text","text":"i"}]}]"#
                ))
    }

    @Test func `calls in OpenAI's older form are calls`() throws {
        let sent = try sent(
            #"{"role":"user","content":"a"},"#
                + #"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},"#
                + #"{"role":"function","name":"f","content":"h"}"#)
        #expect(
            try sent.messages
                == WrittenMessage.sorted(
                    #"[{"role":"user","content":[{"type":"text","text":"a"}]},{"role":"assistant","#
                        + #""content":[{"type":"tool_use","id":"call_1","name":"f","input":{}}]},"#
                        + #"{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","#
                        + #""content":[{"type":"text","text":"h"}]}]}]"#))
    }

    @Test(arguments: [
        ("image/png", "image/png"), ("image/JPEG", "image/jpeg"), ("image/jpg", "image/jpeg"),
        ("image/gif", "image/gif"), ("image/webp;name=x", "image/webp"),
    ])
    func `an image is its type and its base64`(type: String, sent wanted: String) throws {
        let sent = try sent(
            #"{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":"#
                + #"{"url":"data:\#(type);base64,iVBO+/w==","detail":"high"}}]}"#)
        #expect(
            try sent.messages
                == WrittenMessage.sorted(
                    #"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image","#
                        + #""source":{"type":"base64","media_type":"\#(wanted)","#
                        + #""data":"iVBO+/w=="}}]}]"#))
    }
}
