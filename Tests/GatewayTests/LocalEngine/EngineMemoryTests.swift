import Foundation
import Testing

@testable import Gateway

@Suite struct EngineMemories {
    /// A header of a model of llama's kind with these numbers.
    private func header(_ numbers: [(String, UInt32)], named name: String = "llama") -> [UInt8] {
        func whole(_ value: some FixedWidthInteger) -> [UInt8] {
            (0..<MemoryLayout.size(ofValue: value)).map {
                UInt8(truncatingIfNeeded: value >> ($0 * 8))
            }
        }
        func text(_ text: String) -> [UInt8] { whole(UInt64(text.utf8.count)) + text.utf8 }
        var bytes = Array("GGUF".utf8) + whole(UInt32(3)) + whole(UInt64(7))
        bytes += whole(UInt64(numbers.count + 2))
        bytes += text("general.architecture") + whole(UInt32(8)) + text(name)
        // Something in between: a list of two texts.
        bytes += text("general.tags") + whole(UInt32(9)) + whole(UInt32(8)) + whole(UInt64(2))
        bytes += text("a") + text("b")
        for (key, number) in numbers {
            bytes += text("\(name).\(key)") + whole(UInt32(4)) + whole(number)
        }
        return bytes
    }

    @Test func `a token's context is its keys and values in every layer, at two bytes each`() {
        let whole = header([
            ("block_count", 32), ("attention.head_count", 32), ("attention.head_count_kv", 8),
            ("embedding_length", 4096),
        ])
        // Llama 3 of 8 billion: 128 KiB.
        #expect(GGUFHeader(whole)?.bytesPerToken == 131_072)
        let wide = header([
            ("block_count", 2), ("attention.head_count", 4), ("attention.key_length", 100),
            ("attention.value_length", 50),
        ])
        #expect(GGUFHeader(wide)?.bytesPerToken == 2400)
        let silent = GGUFHeader(header([("block_count", 2)]))
        #expect(silent != nil && silent?.bytesPerToken == nil)
        let absurd = header([
            ("block_count", .max), ("attention.head_count", 1), ("embedding_length", .max),
        ])
        #expect(GGUFHeader(absurd)?.bytesPerToken == nil)
    }

    @Test func `a header that is cut or no header says nothing and harms nobody`() {
        let whole = header([
            ("block_count", 2), ("attention.head_count", 4), ("embedding_length", 64),
        ])
        for count in whole.indices {
            #expect(GGUFHeader(Array(whole[..<count]))?.bytesPerToken == nil)
        }
        for place in whole.indices {
            var broken = whole
            broken[place] = 0xFF
            _ = GGUFHeader(broken)
        }
        #expect(GGUFHeader(Array("PK\u{3}\u{4}".utf8)) == nil)
        #expect(GGUFHeader(file: "/nowhere") == nil)
    }

    @Test func `an estimate is of file, context and what is computed with, or what was told`()
        throws
    {
        let folder = try TemporaryFolder()
        var configuration = try TestEngine.configuration(in: folder, slots: 2)
        let perToken = try #require(GGUFHeader(file: configuration.modelFile)?.bytesPerToken)
        let file = try FileManager.default.attributesOfItem(atPath: configuration.modelFile)
        let size = try #require((file[.size] as? NSNumber)?.int64Value)
        let whole = size + 2 * 1024 * perToken
        #expect(EngineMemory.estimate(configuration) == whole + whole / 10 + 67_108_864)
        configuration.memory = 5
        #expect(EngineMemory.estimate(configuration) == 5)
    }

    @Test func `what a process group has is measured, and nothing of one that is not there`() {
        let own = EngineMemory.resident(group: getpgrp())
        #expect(own ?? 0 > 1 << 20)
        #expect(EngineMemory.resident(group: .max) == nil)
    }
}
