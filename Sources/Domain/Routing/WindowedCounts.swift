/// Two counts over the last while: of all, and of a part of them. Pure: the caller supplies the
/// time, which never goes back.
///
/// Ten slots of a tenth of the window each; what is older than the window by less than a slot may
/// still be counted.
struct WindowedCounts: Sendable {
    private struct Slot: Sendable {
        var number: Int64 = -1
        var all: Int64 = 0
        var part: Int64 = 0
    }

    private static let slotCount: Int64 = 10
    private let slotMicroseconds: Int64
    private var slots: [Slot]

    /// Nothing is counted yet.
    init(window: Duration) {
        slotMicroseconds = max(1, window.microseconds / Self.slotCount)
        slots = Array(repeating: Slot(), count: Int(Self.slotCount))
    }

    /// Counts so many more at this moment.
    mutating func add(all: Int64, part: Int64, at now: Uptime) {
        let number = now.microseconds / slotMicroseconds
        let position = Int(number % Self.slotCount)
        if slots[position].number != number { slots[position] = Slot(number: number) }
        slots[position].all += all
        slots[position].part += part
    }

    /// What was counted within the window that ends now.
    func sums(at now: Uptime) -> (all: Int64, part: Int64) {
        let oldest = now.microseconds / slotMicroseconds - Self.slotCount + 1
        var sums: (all: Int64, part: Int64) = (0, 0)
        for slot in slots where slot.number >= oldest {
            sums.all += slot.all
            sums.part += slot.part
        }
        return sums
    }

    /// Forgets everything.
    mutating func clear() {
        for position in slots.indices { slots[position] = Slot() }
    }
}
