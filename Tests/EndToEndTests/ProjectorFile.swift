import Foundation

/// The eye of a model: a vision encoder of two layers with a projector, in the form that
/// llama-server takes as `--mmproj`. Its weights are drawn from a fixed seed, so it makes real
/// tokens of an image and knows nothing.
struct ProjectorFile {
    /// How many tokens of prompt one image is: a square of 32 points in patches of 8.
    static let imageTokens = (side / patch) * (side / patch)

    private static let side = 32
    private static let patch = 8
    private static let width = 32
    private static let inner = 64

    private var members: [[UInt8]] = []
    private var tensors: [(head: [UInt8], data: [UInt8])] = []
    private var state: UInt64 = 5

    /// Writes the eye of a model whose embeddings have so many numbers.
    static func write(to path: String, modelWidth: Int) throws {
        var file = ProjectorFile()
        file.addMembers(modelWidth: modelWidth)
        file.addTensors(modelWidth: modelWidth)
        try Data(file.bytes).write(to: URL(filePath: path))
    }

    // MARK: The model

    private mutating func addMembers(modelWidth: Int) {
        add("general.architecture", "clip")
        add("clip.projector_type", "mlp")
        addFlag("clip.has_vision_encoder")
        addFlag("clip.use_gelu")
        for (name, value) in [
            ("image_size", Self.side), ("patch_size", Self.patch),
            ("embedding_length", Self.width), ("feed_forward_length", Self.inner),
            ("block_count", 2), ("attention.head_count", 2), ("projection_dim", modelWidth),
        ] { add("clip.vision.\(name)", UInt32(value)) }
        add("clip.vision.attention.layer_norm_epsilon", Float(1e-5))
        for name in ["image_mean", "image_std"] {
            add("clip.vision.\(name)", [Float](repeating: 0.5, count: 3))
        }
    }

    private mutating func addTensors(modelWidth: Int) {
        let width = Self.width
        addTensor("v.patch_embd.weight", [Self.patch, Self.patch, 3, width])
        addTensor("v.position_embd.weight", [width, Self.imageTokens])
        for block in 0..<2 {
            for name in ["attn_q", "attn_k", "attn_v", "attn_out", "ln1", "ln2"] {
                let isNorm = name.hasPrefix("ln")
                addTensor(
                    "v.blk.\(block).\(name).weight", isNorm ? [width] : [width, width],
                    around: isNorm ? 1 : 0)
                addTensor("v.blk.\(block).\(name).bias", [width])
            }
            addTensor("v.blk.\(block).ffn_up.weight", [width, Self.inner])
            addTensor("v.blk.\(block).ffn_up.bias", [Self.inner])
            addTensor("v.blk.\(block).ffn_down.weight", [Self.inner, width])
            addTensor("v.blk.\(block).ffn_down.bias", [width])
        }
        for (layer, from) in [(0, width), (2, modelWidth)] {
            addTensor("mm.\(layer).weight", [from, modelWidth])
            addTensor("mm.\(layer).bias", [modelWidth])
        }
    }

    // MARK: GGUF, version 3

    private static let alignment = 32

    private var bytes: [UInt8] {
        var bytes = Array("GGUF".utf8) + Self.little(UInt32(3))
        bytes += Self.little(UInt64(tensors.count)) + Self.little(UInt64(members.count))
        bytes += members.joined()
        var offset = 0
        for tensor in tensors {
            bytes += tensor.head + Self.little(UInt64(offset))
            offset += tensor.data.count
        }
        bytes += [UInt8](repeating: 0, count: -bytes.count & (Self.alignment - 1))
        return bytes + tensors.flatMap(\.data)
    }

    private mutating func addTensor(_ name: String, _ shape: [Int], around center: Float = 0) {
        var head = Self.text(name) + Self.little(UInt32(shape.count))
        for length in shape { head += Self.little(UInt64(length)) }
        // Numbers of 32 bits.
        head += Self.little(UInt32(0))
        var data: [UInt8] = []
        for _ in 0..<shape.reduce(1, *) { data += Self.little((center + draw()).bitPattern) }
        data += [UInt8](repeating: 0, count: -data.count & (Self.alignment - 1))
        tensors.append((head, data))
    }

    /// A number in -0.05...0.05, by Knuth's generator.
    private mutating func draw() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (Float(state >> 40) / 16_777_216 - 0.5) / 10
    }

    private mutating func add(_ name: String, _ value: String) {
        members.append(Self.text(name) + Self.little(UInt32(8)) + Self.text(value))
    }

    private mutating func add(_ name: String, _ value: UInt32) {
        members.append(Self.text(name) + Self.little(UInt32(4)) + Self.little(value))
    }

    private mutating func add(_ name: String, _ value: Float) {
        members.append(Self.text(name) + Self.little(UInt32(6)) + Self.little(value.bitPattern))
    }

    private mutating func add(_ name: String, _ values: [Float]) {
        members.append(
            Self.text(name) + Self.little(UInt32(9)) + Self.little(UInt32(6))
                + Self.little(UInt64(values.count))
                + values.flatMap { Self.little($0.bitPattern) })
    }

    private mutating func addFlag(_ name: String) {
        members.append(Self.text(name) + Self.little(UInt32(7)) + [1])
    }

    private static func text(_ text: String) -> [UInt8] {
        little(UInt64(text.utf8.count)) + text.utf8
    }

    private static func little<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
    }
}
