internal import CCurl
internal import Logging

/// Runs every transfer of a client. Lives on one thread and is used on no other.
///
/// libcurl says which descriptors it waits for, epoll says which of them are ready, and only those
/// are worked on: the cost of a wake-up does not grow with the number of open streams. What arrived
/// for a transfer in one round is handed to its consumer in one piece.
@safe final class TransferLoop {
    let configuration: CurlConfiguration
    /// The time at which the present round began.
    private(set) var now: MonotonicInstant
    /// When libcurl wants to be called although no descriptor is ready.
    var timerDeadline: MonotonicInstant?

    let poller: Poller
    let multi: UnsafeMutableRawPointer
    private let inbox: TransferInbox
    private let logger: Logger
    private let clock: @Sendable () -> MonotonicInstant
    private var running: [ObjectIdentifier: EasyHandle] = [:]
    private var spare: [EasyHandle] = []
    private var marked: [EasyHandle] = []
    /// No transfer's time limit passes before this moment.
    private var nextDeadline = MonotonicInstant.distantFuture

    /// Takes over libcurl's multi handle and the poller; both end with the loop.
    init(_ parts: TransferLoopParts) {
        configuration = parts.configuration
        inbox = parts.inbox
        logger = parts.logger
        clock = parts.clock
        poller = parts.poller
        unsafe multi = parts.multi.pointer
        now = parts.clock()
    }

    /// Runs until the client is shut down.
    func run() {
        installCallbacks()
        var isClosing = false
        while !isClosing {
            let wake = min(timerDeadline ?? .distantFuture, nextDeadline)
            let timeout = now.milliseconds(until: wake, atMost: 60_000)
            let ready = poller.wait(milliseconds: marked.isEmpty ? timeout : 0)
            now = clock()
            isClosing = takeCommands()
            for event in ready where event.descriptor != inbox.descriptor {
                work(on: event.descriptor, flags: event.flags)
            }
            if let deadline = timerDeadline, deadline <= now {
                timerDeadline = nil
                work(on: CURL_SOCKET_TIMEOUT, flags: 0)
            }
            collectEnded()
            if nextDeadline <= now { enforceDeadlines() }
            reportMarked()
        }
        close()
    }

    /// Remembers that a handle has something to report at the end of the round.
    func mark(_ handle: EasyHandle) {
        guard !handle.isMarked else { return }
        handle.isMarked = true
        marked.append(handle)
    }

    /// Sees to it that a handle's time limits are looked at in time. Needed whenever another limit
    /// begins to count, and not when bytes only move the same one later.
    func watchDeadline(of handle: EasyHandle) {
        guard let deadlines = handle.deadlines else { return }
        nextDeadline = min(nextDeadline, deadlines.next)
    }

    // MARK: Commands

    /// Does what was asked since the last round. Returns whether the client is being shut down.
    private func takeCommands() -> Bool {
        let (commands, isClosing) = inbox.take()
        for command in commands {
            switch command {
            case .start(let transfer): start(transfer)
            case .resume(let transfer):
                if let handle = running[ObjectIdentifier(transfer)] { resume(handle) }
            case .stop(let transfer):
                if let handle = running[ObjectIdentifier(transfer)] { remove(handle) }
            }
        }
        return isClosing
    }

    private func start(_ transfer: Transfer) {
        // Cancelled before its turn came: nothing is sent.
        guard transfer.isRunning else { return inbox.transferFinished() }
        guard let handle = spare.popLast() ?? EasyHandle(loop: self) else {
            inbox.transferFinished()
            return transfer.giveUp(CurlFailure(.internalError, detail: "no memory for a handle"))
        }
        var code = handle.prepare(transfer, at: now)
        if code == CURLE_OK, unsafe curl_multi_add_handle(multi, handle.curl) != CURLM_OK {
            code = CURLE_FAILED_INIT
        }
        guard code == CURLE_OK else {
            inbox.transferFinished()
            transfer.giveUp(handle.failure(code))
            return recycle(handle)
        }
        running[ObjectIdentifier(transfer)] = handle
        watchDeadline(of: handle)
    }

    private func resume(_ handle: EasyHandle) {
        guard handle.isPaused else { return }
        handle.isPaused = false
        handle.bufferedBytes = handle.transfer?.bufferedBytes ?? 0
        handle.deadlines?.resumed(at: now)
        watchDeadline(of: handle)
        // Calls the write callback for what libcurl kept, which may pause again. libcurl does not
        // end the transfer if that fails, and would leave a hole in the body.
        let code = unsafe curl_easy_pause(handle.curl, CURLPAUSE_CONT)
        guard code != CURLE_OK else { return }
        handle.progress.ending = handle.ending(code)
        mark(handle)
    }

    /// Takes a handle from libcurl, which closes an HTTP/1 connection whose response is unfinished.
    private func remove(_ handle: EasyHandle) {
        guard let transfer = handle.transfer else { return }
        let code = unsafe curl_multi_remove_handle(multi, handle.curl)
        if code != CURLM_OK { logger.error("libcurl did not give up a transfer: \(code.rawValue)") }
        running[ObjectIdentifier(transfer)] = nil
        inbox.transferFinished()
        recycle(handle)
    }

    private func recycle(_ handle: EasyHandle) {
        handle.reset()
        // One that is still marked is in the list of those to report, where it must not turn up
        // as another transfer's.
        if !handle.isMarked, spare.count < configuration.maximumSpareHandles {
            spare.append(handle)
        }
    }

    // MARK: A round

    private func work(on descriptor: CInt, flags: CInt) {
        var count: CInt = 0
        let code = unsafe curl_multi_socket_action(multi, descriptor, flags, &count)
        guard code != CURLM_OK else { return }
        // Not known to happen except without memory. Which transfer it hit cannot be told.
        logger.error("libcurl failed as a whole: \(code.rawValue)")
        failAll(CurlFailure(.internalError, detail: "CURLMcode \(code.rawValue)"))
    }

    /// Notes the end of every transfer that libcurl is done with.
    private func collectEnded() {
        var left: CInt = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            let curl = unsafe message.pointee.easy_handle
            let code = unsafe ccurl_message_result(message)
            var context: UnsafeMutableRawPointer?
            guard unsafe ccurl_easy_get_pointer(curl, CURLINFO_PRIVATE, &context) == CURLE_OK,
                let context = unsafe context
            else { continue }
            let handle = unsafe EasyHandle.from(context)
            handle.progress.ending = handle.ending(code)
            mark(handle)
        }
    }

    private func enforceDeadlines() {
        nextDeadline = .distantFuture
        for handle in Array(running.values) {
            guard let deadlines = handle.deadlines, handle.progress.ending == nil else { continue }
            if let phase = deadlines.passed(at: now) {
                let failure = CurlFailure(phase, receivedResponse: handle.receivedResponse)
                handle.progress.ending = .init(failure: failure)
                mark(handle)
            } else {
                nextDeadline = min(nextDeadline, deadlines.next)
            }
        }
    }

    /// Hands over what arrived. Resuming a transfer may bring more, which is handed over as well.
    private func reportMarked() {
        var index = 0
        while index < marked.count {
            let handle = marked[index]
            index += 1
            handle.isMarked = false
            guard let transfer = handle.transfer else { continue }
            let progress = handle.progress
            handle.progress = TransferProgress()
            let isOver = progress.ending != nil
            // Before the consumer learns of the end, so that a connection that is to be closed is
            // closed, and one that can be kept is free, when it does.
            if isOver { remove(handle) }
            let (bufferedBytes, resumes) = transfer.report(progress)
            guard !isOver else { continue }
            handle.bufferedBytes = bufferedBytes
            if resumes { resume(handle) }
        }
        marked.removeAll(keepingCapacity: true)
    }

    // MARK: The end

    private func failAll(_ failure: CurlFailure) {
        for handle in Array(running.values) {
            let transfer = handle.transfer
            remove(handle)
            transfer?.giveUp(failure)
        }
    }

    private func close() {
        failAll(CurlFailure(.shutdown))
        marked = []
        spare = []
        unsafe curl_multi_cleanup(multi)
        poller.close()
        inbox.finishClosing()
    }
}
