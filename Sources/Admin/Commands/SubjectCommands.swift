import ArgumentParser
import Domain
import Ledger

/// `admin org|team show`: one of them. Keys have a command of their own.
struct SubjectShowCommand<Noun: SubjectNoun>: AdminSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "show", abstract: "Show one \(Noun.title).",
            discussion: """
                Example:
                  turnpike admin \(Noun.word) show \(Noun.example)
                """)
    }

    @OptionGroup var noun: Noun
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let subject = try noun.find(at: desk)
        let contents = try desk.contents(of: subject)
        try desk.answer(SubjectView.record(subject)) {
            DetailFormatter(width: desk.output.width, style: desk.output.style)
                .lines(SubjectView.details(subject, contents: contents.words))
        }
    }
}

/// `admin org|team|key suspend`.
struct SubjectSuspendCommand<Noun: SubjectNoun>: AdminSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "suspend", abstract: "Refuse a\(Noun.article) \(Noun.title)'s requests.",
            discussion: """
                New requests are refused with 403 by every gateway within two seconds, and running ones are cut. Nothing \
                else changes: `\(Noun.word) resume` brings it back. The reason is for administrators only.

                Example:
                  turnpike admin \(Noun.word) suspend \(Noun.example) --reason "bill of May is open"
                """)
    }

    @OptionGroup var noun: Noun
    @Option(help: ArgumentHelp("Why, at most 256 bytes.", valueName: "text"))
    var reason: String?
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let subject = try noun.find(at: desk)
        try desk.ledger.suspend(subject, reason: reason)
        let now = try desk.again(subject)
        let title = QuotedText.capital(now.title)
        try desk.answer(SubjectView.record(now)) {
            [
                "\(title) is suspended.",
                "Back: turnpike admin \(Noun.word) resume \(now.argument)\(desk.flag(now))",
            ]
        }
    }
}

/// `admin org|team|key resume`.
struct SubjectResumeCommand<Noun: SubjectNoun>: AdminSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "resume",
            abstract: "Take a\(Noun.article) \(Noun.title)'s requests again.",
            discussion: """
                Example:
                  turnpike admin \(Noun.word) resume \(Noun.example)
                """)
    }

    @OptionGroup var noun: Noun
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let subject = try noun.find(at: desk)
        try desk.ledger.resume(subject)
        let now = try desk.again(subject)
        try desk.answer(SubjectView.record(now)) {
            let title = QuotedText.capital(now.title)
            if case .key(let key, _) = now, let level = key.suspended {
                return ["\(title) is not suspended itself, but its \(level.name) is."]
            }
            return ["\(title) is not suspended."]
        }
    }
}

/// `admin org|team|key rename`.
struct SubjectRenameCommand<Noun: SubjectNoun>: AdminSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "rename", abstract: "Give a\(Noun.article) \(Noun.title) another name.",
            discussion: """
                What it has and what it used stay its own.

                Example:
                  turnpike admin \(Noun.word) rename \(Noun.example) platform
                """)
    }

    @OptionGroup var noun: Noun
    @Argument(help: "Its new name, 1 to 64 bytes.")
    var newName: String
    @OptionGroup var options: AdminOptions

    func validate() throws { try NameText.check(newName) }

    func execute(_ desk: AdminDesk) throws {
        let subject = try noun.find(at: desk)
        try desk.ledger.rename(subject, to: newName)
        let now = try desk.again(subject, named: newName)
        try desk.answer(SubjectView.record(now)) {
            ["\(QuotedText.capital(subject.title)) is now called \(QuotedText.quoted(newName))."]
        }
    }
}

/// `admin org|team|key delete`.
struct SubjectDeleteCommand<Noun: SubjectNoun>: AdminSubcommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "delete", abstract: "Delete a\(Noun.article) \(Noun.title) for good.",
            discussion: """
                One that has nothing that works is deleted at once; otherwise it asks, or takes --yes, and all that it has \
                goes with it. What was used stays in the books. The name may be used again.

                Example:
                  turnpike admin \(Noun.word) delete \(Noun.example) --yes
                """)
    }

    @OptionGroup var noun: Noun
    @Flag(help: "Do not ask.")
    var yes = false
    @OptionGroup var options: AdminOptions

    func execute(_ desk: AdminDesk) throws {
        let subject = try noun.find(at: desk)
        let contents = try desk.contents(of: subject)
        if !contents.isNothing {
            try desk.confirm(
                "Delete \(subject.title) with \(contents.words) for good?", isConfirmed: yes)
        }
        try desk.ledger.delete(subject, contents: !contents.isNothing)
        try desk.answer(SubjectView.record(subject)) {
            ["\(QuotedText.capital(subject.title)) is deleted."]
        }
    }
}

extension SubjectNoun {
    /// What "a" is before the word.
    fileprivate static var article: String { title.hasPrefix("o") ? "n" : "" }
}

extension AdminDesk {
    /// What a subject has that still works.
    fileprivate struct Contents {
        let isNothing: Bool
        let words: String
    }

    fileprivate func contents(of subject: SubjectEntry) throws -> Contents {
        func counted(_ count: Int, _ word: String) -> Contents {
            Contents(
                isNothing: count == 0,
                words: count == 0 ? "no \(word)" : "\(count) \(word)\(count == 1 ? "" : "s")")
        }
        switch subject {
        case .organization(let organization):
            return counted(try ledger.teams(in: organization).count, "team")
        case .team(let team, let organization):
            return counted(try ledger.keys(in: organization, of: team).count, "key")
        case .key(let key, _):
            let isOver = key.state == .revoked || key.state == .expired
            return Contents(isNothing: isOver, words: "all its secrets")
        }
    }

    /// How to name the organization behind a subject on a command line.
    func flag(_ subject: SubjectEntry) -> String {
        if case .organization = subject { return "" }
        return flag(subject.organization)
    }
}
