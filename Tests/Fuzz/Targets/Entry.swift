import Glibc

/// What `TURNPIKE_FUZZ_TARGET` names: read once, when the fuzzer starts.
private let chosen: FuzzTargets = {
    let name = getenv("TURNPIKE_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let known = FuzzTargets(rawValue: name) else {
        let names = FuzzTargets.allCases.map(\.rawValue).joined(separator: ", ")
        Property.tell("TURNPIKE_FUZZ_TARGET is one of \(names)")
        exit(2)
    }
    return known
}()

/// Called by libFuzzer for every input.
@_cdecl("LLVMFuzzerTestOneInput")
public func runOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.target.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
