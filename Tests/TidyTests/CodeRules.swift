/// Words that stand only where they were thought about.
enum CodeRules {
    static let unsafe = TidyRule(
        name: "unsafe stands only in the wrappers",
        reason: "raw pointers elsewhere belong behind a wrapper's safe function",
        check: { file in
            let places = [
                "Sources/Curl/", "Sources/OpenSSL/", "Sources/Postgres/", "Sources/JSON/",
                "Sources/Ledger/Journal/", "Sources/Ledger/Node/NodeFolder.swift",
                // A task executor is handed unowned jobs; the standard library offers no other way.
                "Sources/Gateway/HTTP/EventLoopExecutor.swift",
                // Starts the engine with a guard on its input, which Foundation cannot.
                "Sources/Gateway/Backends/LocalEngine/ChildProcess.swift",
                // Asks the terminal for its width.
                "Sources/Admin/TerminalWidth.swift",
                "Sources/Turnpike/SystemCalls.swift",
            ]
            guard file.isSource, !file.isIn(places) else { return [] }
            return file.codeLines(matching: #/\bunsafe\b/#, mentioning: ["unsafe"])
        },
        bad: [
            TidyRule.sample("Sources/Gateway/A.swift", "let a = unsafe b.pointee\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "nonisolated(unsafe) var a = 1\n"),
        ],
        good: [
            TidyRule.sample("Sources/Curl/A.swift", "let a = unsafe b.pointee\n"),
            TidyRule.sample("Sources/Gateway/A.swift", "// unsafe\nlet a = \"unsafe\"\n"),
        ])

    static let unchecked = TidyRule(
        name: "@unchecked Sendable has a comment above it that says why",
        reason: "the compiler has stopped looking, so somebody must have looked",
        check: { file in
            guard file.isSource else { return [] }
            let text = file.swift
            return file.codeLines(
                matching: #/@unchecked\s+Sendable/#, mentioning: ["@unchecked"]
            ).filter { line in
                var above = line - 2
                var words = ""
                while above >= 0, !text.comments[above].isEmpty || text.code[above].contains("@") {
                    words += text.comments[above]
                    above -= 1
                }
                return words.firstMatch(of: #/[Uu]nchecked|[Ss]endable|thread|lock/#) == nil
            }
        },
        bad: [
            TidyRule.sample(
                "Sources/Curl/A.swift", "/// A thing.\nfinal class A: @unchecked Sendable {}\n")
        ],
        good: [
            TidyRule.sample(
                "Sources/Curl/A.swift",
                "/// A thing.\n// Unchecked: one thread has it.\nfinal class A: @unchecked Sendable {}\n"
            )
        ])

    static let tasks = TidyRule(
        name: "an unstructured task stands only in the uncancelled helper",
        reason: "a task that nobody waits for outlives its request and its errors vanish",
        check: { file in
            guard file.isSource, !file.isIn(["Sources/Gateway/Pipeline/Uncancelled.swift"]) else {
                return []
            }
            return file.codeLines(
                matching: #/\bTask(<[^>]*>)?(\.detached|\.immediate|\s*\(|\s*\{)/#,
                mentioning: ["Task"])
        },
        bad: [
            TidyRule.sample("Sources/Gateway/A.swift", "Task { await run() }\n"),
            TidyRule.sample("Sources/Gateway/A.swift", "Task.detached { await run() }\n"),
            TidyRule.sample("Sources/Gateway/A.swift", "Task<Void, Never>(priority: .low) {}\n"),
        ],
        good: [
            TidyRule.sample(
                "Sources/Gateway/A.swift", "group.addTask { }\ntry await Task.sleep(for: a)\n")
        ])

    static let sleeps = TidyRule(
        name: "a test never sleeps",
        reason: "it waits for the event, or it is slow on a good day and wrong on a bad one",
        check: { file in
            guard file.isTest else { return [] }
            return file.codeLines(
                matching:
                    #/\bTask\s*\.\s*sleep|\busleep\s*\(|\bnanosleep\s*\(|(^|[^.\w])sleep\s*\(/#,
                mentioning: ["sleep"])
        },
        bad: [
            TidyRule.sample("Tests/A/A.swift", "try await Task.sleep(for: .seconds(1))\n"),
            TidyRule.sample("Tests/A/A.swift", "usleep(10)\n"),
            TidyRule.sample("Tests/A/A.swift", "sleep(1)\n"),
        ],
        good: [
            TidyRule.sample("Tests/A/A.swift", "// sleep(1)\nlet a = \"sleep(1)\"\n")
        ])

    static let clocks = TidyRule(
        name: "clocks and randomness are passed in",
        reason: "what reads the clock itself cannot be tested at an instant",
        check: { file in
            let places = [
                "Sources/Turnpike/",
                // Where the admin commands are wired.
                "Sources/Admin/AdminEnvironment.swift",
                // Reads the host's monotonic clock for libcurl's thread, and hands readings on.
                "Sources/Curl/CurlClient.swift",
                // Blocking calls of libpq wait until a deadline of the host's clock.
                "Sources/Postgres/Deadline.swift",
            ]
            guard file.isSource, !file.isIn(places) else { return [] }
            return file.codeLines(
                matching:
                    #/\b(Date|Clock|(Continuous|Suspending)Clock|UUID)\(\)|\b(Date|\w*Clock|DispatchTime|DispatchWallTime|NIODeadline)\.now\b|(^|[=:(,?\s])\.now\b|SystemRandomNumberGenerator|\b(U?Int\d*|Double|Float|Bool)\.random\(|\.(randomElement|shuffled)\(\)|\bclock_gettime\b/#,
                mentioning: [
                    "Date", "Clock", "UUID", "now", "andom", "shuffled", "Dispatch",
                    "clock_gettime",
                ]
            )
        },
        bad: [
            TidyRule.sample("Sources/Ledger/A.swift", "let a = Date()\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "let a = ContinuousClock.now\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "let a = Int.random(in: 0..<3)\n"),
        ],
        good: [
            TidyRule.sample("Sources/Turnpike/A.swift", "let a = Date()\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "let nowhere = time.wall // .now\n"),
        ])

    static let traps = TidyRule(
        name: "no fatalError, try!, as! or print in Sources",
        reason:
            "a refusal is a value, a fault an error, a bug a precondition; output has one file",
        check: { file in
            guard file.isSource else { return [] }
            let isOutput = file.path == "Sources/Admin/Output.swift"
            let traps = file.codeLines(
                matching: #/\bfatalError\s*\(|\btry!|\bas!/#,
                mentioning: ["fatalError", "try!", "as!"])
            let prints = file.codeLines(
                matching: #/(^|[^.\w])(print|debugPrint|dump)\s*\(/#,
                mentioning: ["rint(", "dump("])
            return (traps + (isOutput ? [] : prints)).sorted()
        },
        bad: [
            TidyRule.sample("Sources/Ledger/A.swift", "fatalError(\"no\")\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "let a = try! b()\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "let a = b as! C\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "print(a)\n"),
        ],
        good: [
            TidyRule.sample("Sources/Admin/Output.swift", "print(a)\n"),
            TidyRule.sample("Sources/Ledger/A.swift", "// print(a)\npreconditionFailure(\"no\")\n"),
        ])

    static let all = [unsafe, unchecked, tasks, sleeps, clocks, traps]
}
