import Testing

@testable import Curl

@Suite struct CurlStateMachine {
    private typealias Actions = TransferStateMachine.Actions
    private let head = ResponseHead(status: 200, headers: [(name: "a", value: "b")])
    private let lost = CurlFailure(.receive, receivedResponse: true)

    /// A machine whose head was delivered.
    private func streaming(lowWatermark: Int = 2) -> TransferStateMachine {
        var machine = TransferStateMachine(lowWatermark: lowWatermark)
        _ = machine.headWasAwaited()
        _ = machine.headWasCompleted(head)
        return machine
    }

    @Test func `a head is delivered once`() {
        var machine = TransferStateMachine(lowWatermark: 2)
        #expect(machine.headWasAwaited() == nil)
        #expect(machine.headWasCompleted(head) == Actions(head: .success(head)))
        #expect(machine.headWasCompleted(head) == Actions())
    }

    @Test func `a transfer cancelled before anybody waits fails the wait`() {
        var machine = TransferStateMachine(lowWatermark: 2)
        #expect(machine.wasCancelled() == Actions(transfer: .stop))
        #expect(!machine.isRunning)
        #expect(machine.headWasAwaited()?.phase == .cancelled)
        #expect(machine.headWasCompleted(head) == Actions())
    }

    @Test func `a second ending changes nothing`() {
        var machine = TransferStateMachine(lowWatermark: 2)
        _ = machine.headWasAwaited()
        #expect(machine.transferEnded(lost) == Actions(head: .failure(lost)))
        #expect(machine.wasCancelled() == Actions())
        #expect(machine.transferWasGivenUp(CurlFailure(.shutdown)) == Actions())
        #expect(machine.pieceWasRequested() == .failure(lost))
    }

    @Test func `pieces that piled up are one answer`() {
        var machine = streaming()
        #expect(machine.bytesWereReceived([1]) == Actions())
        #expect(machine.bytesWereReceived([2, 3]) == Actions())
        #expect(machine.pieceWasRequested() == .bytes([1, 2, 3], order: nil))
        #expect(machine.pieceWasRequested() == .wait)
        #expect(machine.bytesWereReceived([4]) == Actions(piece: .success([4])))
        #expect(machine.bufferedBytes == 0)
    }

    @Test func `taking the bytes of a paused transfer resumes it once`() {
        var machine = streaming()
        _ = machine.bytesWereReceived([1, 2, 3])
        #expect(machine.transferWasPaused() == Actions())
        #expect(machine.pieceWasRequested() == .bytes([1, 2, 3], order: .resume))
        _ = machine.bytesWereReceived([4])
        #expect(machine.pieceWasRequested() == .bytes([4], order: nil))
    }

    @Test func `a pause that comes after the consumer has read is over at once`() {
        var machine = streaming()
        _ = machine.bytesWereReceived([1, 2, 3])
        _ = machine.pieceWasRequested()
        #expect(machine.transferWasPaused() == Actions(transfer: .resume))
    }

    @Test func `bytes are read before the failure that followed them`() {
        var machine = streaming()
        _ = machine.bytesWereReceived([1])
        #expect(machine.transferWasGivenUp(lost) == Actions(transfer: .stop))
        #expect(machine.pieceWasRequested() == .bytes([1], order: nil))
        #expect(machine.pieceWasRequested() == .failure(lost))
        #expect(machine.pieceWasRequested() == .failure(lost))
    }

    @Test func `a cancelled body is never taken for a complete one`() {
        var machine = streaming()
        _ = machine.bytesWereReceived([1])
        _ = machine.transferEnded(nil)
        #expect(machine.wasCancelled() == Actions())
        #expect(machine.pieceWasRequested() == .failure(.init(.cancelled, receivedResponse: true)))
    }

    @Test func `whoever waits for a piece learns how the transfer ended`() {
        var well = streaming()
        _ = well.pieceWasRequested()
        #expect(well.transferEnded(nil) == Actions(piece: .success(nil)))
        #expect(well.pieceWasRequested() == .end)

        var badly = streaming()
        _ = badly.pieceWasRequested()
        let cancelled = CurlFailure(.cancelled, receivedResponse: true)
        #expect(badly.wasCancelled() == Actions(piece: .failure(cancelled), transfer: .stop))
    }

    @Test func `an end without a head is a protocol error`() {
        var machine = TransferStateMachine(lowWatermark: 2)
        _ = machine.headWasAwaited()
        guard case .failure(let failure) = machine.transferEnded(nil).head else {
            Issue.record("the head's waiter was left waiting")
            return
        }
        #expect(failure.phase == .protocolError)
    }
}

@Suite struct CurlDeadlines {
    private func at(_ milliseconds: Int64) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: milliseconds * 1_000_000)
    }

    private func deadlines() -> TransferDeadlines {
        TransferDeadlines(
            startedAt: at(0), firstByteTimeout: .milliseconds(10), idleTimeout: .milliseconds(5),
            totalTimeout: .milliseconds(30))
    }

    @Test func `each limit counts in its own part of the transfer`() {
        var deadlines = deadlines()
        #expect(deadlines.next == at(10))
        #expect(deadlines.passed(at: at(9)) == nil)
        #expect(deadlines.passed(at: at(10)) == .firstByteTimeout)
        deadlines.progressed(at: at(9))
        #expect(deadlines.next == at(14))
        #expect(deadlines.passed(at: at(14)) == .idleTimeout)
        deadlines.progressed(at: at(28))
        #expect(deadlines.next == at(30))
        #expect(deadlines.passed(at: at(30)) == .totalTimeout)
    }

    @Test func `the idle clock stands still while the consumer holds back`() {
        var deadlines = deadlines()
        deadlines.progressed(at: at(1))
        deadlines.paused()
        #expect(deadlines.passed(at: at(29)) == nil)
        #expect(deadlines.passed(at: at(30)) == .totalTimeout)
        deadlines.resumed(at: at(20))
        #expect(deadlines.next == at(25))
    }

    @Test func `a limit too long to be told never passes`() {
        let deadlines = TransferDeadlines(
            startedAt: at(5), firstByteTimeout: .seconds(Int64.max), idleTimeout: .zero,
            totalTimeout: .seconds(Int64.max))
        #expect(deadlines.next == .distantFuture)
        #expect(deadlines.passed(at: at(1 << 40)) == nil)
    }

    @Test(arguments: [(0, 0), (1, 1), (999_999, 1), (1_000_000, 1), (1_000_001, 2), (-5, 0)])
    func `a wait is rounded up to reach its moment`(nanoseconds: Int64, milliseconds: Int32) {
        let start = at(3)
        let later = start.advanced(byNanoseconds: nanoseconds)
        #expect(start.milliseconds(until: later, atMost: 100) == milliseconds)
        #expect(start.milliseconds(until: .distantFuture, atMost: 100) == 100)
    }
}

@Suite struct CurlResponseHeads {
    private func steps(
        _ lines: [String], maximumBytes: Int = 1000
    ) -> [ResponseHeadParser.Step] {
        var parser = ResponseHeadParser(maximumBytes: maximumBytes)
        return lines.map { line in
            Array(line.utf8).withUnsafeBufferPointer { parser.consume($0) }
        }
    }

    @Test func `names are lowered, blanks are cut and folded lines joined`() {
        let steps = steps(["HTTP/2 200 \r\n", "X-A: \t b c \r\n", "  folded \r\n", "E:\n", "\r\n"])
        let head = ResponseHead(
            status: 200, headers: [(name: "x-a", value: "b c folded"), (name: "e", value: "")])
        #expect(steps.last == .complete(head))
        #expect(steps.dropLast().allSatisfy { $0 == .more })
    }

    @Test func `nothing of an informational head is kept`() {
        let steps = steps([
            "HTTP/1.1 103 x\r\n", "Link: x\r\n", "\r\n", "HTTP/1.1 404 Gone\r\n", "\r\n",
            "T: x\r\n",
        ])
        #expect(steps[4] == .complete(ResponseHead(status: 404, headers: [])))
        #expect(steps[5] == .more)
    }

    @Test(arguments: ["HTTP/1.1\r\n", "HTTP/1.1 2x0 OK\r\n", "HTTP/1.1 20\r\n", "no colon\r\n"])
    func `a line that is no head is refused`(line: String) {
        #expect(steps([line]) == [.refused(.protocolError)])
    }

    @Test func `heads are bounded together`() {
        let steps = steps(["HTTP/1.1 100 C\r\n", "\r\n", "HTTP/1.1 200\r\n"], maximumBytes: 20)
        #expect(steps == [.more, .more, .refused(.tooLarge)])
    }
}
