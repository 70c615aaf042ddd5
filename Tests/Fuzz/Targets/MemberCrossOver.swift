/// Puts a member of one JSON object into another, which mutations of bytes seldom do: what holds
/// between two parameters is only met when both are there.
enum MemberCrossOver {
    /// `left` with a member of `right`; nil where one of them has no objects.
    static func cross(_ left: [UInt8], _ right: [UInt8], seed: UInt32) -> [UInt8]? {
        var random = UInt64(seed) | 1 << 40
        func pick(_ count: Int) -> Int {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((random >> 33) % UInt64(count))
        }
        let objects = ObjectScan(left).objects
        let givers = ObjectScan(right).objects.filter { !$0.members.isEmpty }
        guard !objects.isEmpty, let giver = givers.last else { return nil }
        // The outermost ended last; it has the parameters.
        let object = pick(2) == 0 ? objects[objects.count - 1] : objects[pick(objects.count)]
        let members = pick(2) == 0 ? giver.members : givers[pick(givers.count)].members
        let member = members[pick(members.count)]
        let name = right[member.name]
        var crossed = left
        if let present = object.members.first(where: { left[$0.name] == name }) {
            crossed.replaceSubrange(present.whole, with: right[member.whole])
        } else {
            let separator = object.members.isEmpty ? [] : [UInt8(ascii: ",")]
            crossed.insert(contentsOf: right[member.whole] + separator, at: object.start)
        }
        return crossed
    }
}

/// Called by libFuzzer to make one input of two; 0 when it has to find another way.
@_cdecl("LLVMFuzzerCustomCrossOver")
public func crossOver(
    _ left: UnsafePointer<UInt8>?, _ leftCount: Int, _ right: UnsafePointer<UInt8>?,
    _ rightCount: Int, _ out: UnsafeMutablePointer<UInt8>?, _ most: Int, _ seed: UInt32
) -> Int {
    let crossed = MemberCrossOver.cross(
        Array(UnsafeBufferPointer(start: left, count: leftCount)),
        Array(UnsafeBufferPointer(start: right, count: rightCount)), seed: seed)
    guard let crossed, crossed.count <= most, let out else { return 0 }
    for (index, byte) in crossed.enumerated() { out[index] = byte }
    return crossed.count
}
