import JSON
import Testing

@Suite struct JSONWriterText {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.finish(), as: UTF8.self)
    }

    @Test func `commas and colons are placed by the writer`() {
        let text = written { writer in
            writer.beginObject()
            writer.key("a")
            writer.integer(1)
            writer.key("b" as String)
            writer.beginArray()
            writer.beginArray()
            writer.endArray()
            writer.bool(true)
            writer.bool(false)
            writer.null()
            writer.beginObject()
            writer.endObject()
            writer.string("x")
            writer.raw("{\"raw\":[]}")
            writer.raw(Array("12".utf8))
            writer.raw(Array("[3]".utf8)[...])
            writer.endArray()
            writer.key("c\"" as String)
            writer.double(0.5)
            writer.endObject()
        }
        #expect(text == #"{"a":1,"b":[[],true,false,null,{},"x",{"raw":[]},12,[3]],"c\"":0.5}"#)
    }

    @Test func `numbers are written digit for digit and doubles as short as they read back`() {
        #expect(written { $0.integer(Int64.min) } == "-9223372036854775808")
        #expect(written { $0.integer(Int64.max) } == "9223372036854775807")
        #expect(written { $0.unsigned(.max) } == "18446744073709551615")
        #expect(written { $0.integer(0) } == "0")
        #expect(written { $0.double(-0.0) } == "-0.0")
        #expect(written { $0.double(0.1) } == "0.1")
        #expect(written { $0.double(1e308) } == "1e+308")
        #expect(written { $0.double(.leastNonzeroMagnitude) } == "5e-324")
        #expect(written { $0.double(3) } == "3.0")
    }

    @Test func `every character of ASCII is escaped exactly where it must be`() throws {
        for byte in UInt8(0)..<0x80 {
            let character = String(Unicode.Scalar(byte))
            // Far enough in, and with company, so that each lane of the eight-byte scan meets it.
            for padding in 0..<17 {
                let value = String(repeating: "p", count: padding) + character + "tail"
                let text = written { $0.string(value) }
                let isEscaped = text.utf8.count != value.utf8.count + 2
                #expect(isEscaped == (byte < 0x20 || byte == 0x22 || byte == 0x5C))
                #expect(try JSONParser.roomy().parse(text).root.string == value)
            }
        }
        #expect(
            written { $0.string("\u{8}\t\n\u{C}\r\"\\/\u{1}\u{1f}") }
                == #""\b\t\n\f\r\"\\/\u0001\u001f""#)
    }

    @Test func `line and paragraph separators are escaped and their neighbours are not`() throws {
        for padding in 0..<17 {
            let pad = String(repeating: "é", count: padding)
            let value = pad + "\u{2027}\u{2028}–\u{2029}\u{202A}\u{2068}"
            let text = written { $0.string(value) }
            #expect(text == "\"" + pad + "\u{2027}\\u2028–\\u2029\u{202A}\u{2068}\"")
            #expect(try JSONParser.roomy().parse(text).root.string == value)
        }
        #expect(written { $0.string("\u{2028}") } == #""\u2028""#)
    }

    @Test func `bytes that are not UTF-8 are repaired, never written`() throws {
        let cases: [[UInt8]] = [
            [0x61, 0xFF], [0xE2, 0x80], [0xE2], [0xED, 0xA0, 0x80], [0xC3], Array("déjà".utf8), [],
            Array("plain".utf8),
        ]
        for bytes in cases {
            for text in [
                written { $0.string(utf8: bytes) }, written { $0.string(utf8: bytes[...]) },
            ] {
                #expect(
                    try JSONParser.roomy().parse(text).root.string
                        == String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    @Test func `framing stands around values and memory is reused`() {
        var writer = JSONWriter(capacity: 256)
        for round in 0..<3 {
            writer.removeAll(keepingCapacity: true)
            #expect(!writer.isComplete)
            for _ in 0..<2 {
                writer.framing("data: ")
                writer.beginArray()
                writer.integer(round)
                writer.endArray()
                #expect(writer.isComplete)
                writer.framing("\n\n")
            }
            #expect(writer.bytes == Array("data: [\(round)]\n\ndata: [\(round)]\n\n".utf8))
        }
    }

    @Test func `a subtree is written again where it is wanted`() throws {
        let tools =
            #"[{"type":"function","p":{"a":[1,2.5,{"x":[]}],"":null}},"s\n",18446744073709551615]"#
        let document = try JSONParser.roomy().parse(
            #"{"before":[{}],"tools":\#(tools),"after":{"y":1}}"#)
        let text = written { writer in
            writer.beginObject()
            for name in ["tools", "after", "before"] {
                writer.key(name)
                if let value = document[name] { writer.value(value) }
            }
            writer.key("element")
            if let value = document["tools"]?[1] { writer.value(value) }
            writer.endObject()
        }
        #expect(text == #"{"tools":\#(tools),"after":{"y":1},"before":[{}],"element":"s\n"}"#)
    }

    @Test func `sixty-four containers may be open`() throws {
        let text = written { writer in
            for level in 0..<JSONWriter.maximumDepth {
                if level % 3 == 0 {
                    writer.beginObject()
                    writer.key("k")
                } else {
                    writer.beginArray()
                }
            }
            writer.null()
            for level in (0..<JSONWriter.maximumDepth).reversed() {
                if level % 3 == 0 { writer.endObject() } else { writer.endArray() }
            }
        }
        #expect(JSONParser.roomy().error(Array(text.utf8)) == nil)
    }
}

@Suite struct JSONWriterMisuse {
    @Test func `a value in an object without a key stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.null()
        }
    }

    @Test func `an end that ends nothing stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginArray()
            writer.endObject()
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginObject()
            writer.key("a")
            writer.endObject()
        }
    }

    @Test func `a double that JSON cannot say stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.double(.nan)
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.double(-.infinity)
        }
    }

    @Test func `a text handed out before its end or continued after it stops the program`() async {
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.beginArray()
            _ = writer.finish()
        }
        await #expect(processExitsWith: .failure) {
            var writer = JSONWriter()
            writer.null()
            writer.null()
        }
    }
}
