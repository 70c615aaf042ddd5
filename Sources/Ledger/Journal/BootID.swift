import Glibc

/// The machine's life: what only reached the page cache is gone with it, a process's death changes
/// nothing.
struct BootID: Sendable, Hashable {
    /// Zero is never the same life as any.
    let rawValue: UInt64

    /// This machine's life, as the kernel names it; unknown where the kernel does not say, and then
    /// nothing that is not on the disk is believed.
    static func current() -> BootID {
        let file = unsafe open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return BootID(rawValue: 0) }
        defer { close(file) }
        var text = [UInt8](repeating: 0, count: 36)
        let count = unsafe text.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, 36) }
        guard count == 36 else { return BootID(rawValue: 0) }
        // FNV-1a, 64 bits: the name is random already.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return BootID(rawValue: hash)
    }

    /// Whether what was in the page cache then is there now.
    func isSameLife(as other: BootID) -> Bool { rawValue != 0 && rawValue == other.rawValue }
}
