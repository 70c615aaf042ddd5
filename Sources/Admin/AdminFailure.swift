/// Why an admin command did not do what was asked: the one error type of this room.
struct AdminFailure: Error, Equatable {
    /// How the command ends: its exit status.
    enum Status: Int32 {
        /// The ledger refused, or what was named does not exist.
        case refused = 1
        /// The command line or the configuration is wrong.
        case wrongUsage = 2
        /// The ledger's database cannot be reached.
        case unreachable = 3
        /// An audit found differences.
        case difference = 4
    }

    /// What programs are told apart from the sentence: the admin HTTP API makes its status of it.
    enum Cause: Equatable {
        /// Nothing more than the status says.
        case usual
        /// What was named does not exist.
        case missing
        /// The name is taken.
        case taken
        /// Others kept changing the same rows.
        case conflicted
        /// A change that may have happened.
        case uncertain
        /// The ledger itself does not work as it should.
        case broken
        /// The creation was made before: the id of what it made.
        case repeated(Int64)
        /// The client's word for the creation stands for another request.
        case reused
    }

    /// How the command ends.
    let status: Status
    /// What went wrong, in one sentence that is safe to show.
    let message: String
    /// What to do next.
    let advice: String?
    /// What programs are told.
    var cause = Cause.usual

    /// The same with what programs are told.
    func because(_ cause: Cause) -> AdminFailure {
        var failure = self
        failure.cause = cause
        return failure
    }

    /// The ledger refused, or what was named does not exist.
    static func refused(_ message: String, advice: String?) -> AdminFailure {
        AdminFailure(status: .refused, message: message, advice: advice)
    }

    /// The command line or the configuration is wrong.
    static func wrongUsage(_ message: String, advice: String?) -> AdminFailure {
        AdminFailure(status: .wrongUsage, message: message, advice: advice)
    }

    /// An audit found differences.
    static func difference(_ message: String, advice: String?) -> AdminFailure {
        AdminFailure(status: .difference, message: message, advice: advice)
    }

    /// What was named does not exist at all.
    static func notFound(_ what: String, _ name: String, advice: String) -> AdminFailure {
        refused("There is no \(what) \(QuotedText.quoted(name)).", advice: advice)
            .because(.missing)
    }

    /// What was named does not exist in the organization; whether another one has it is not told.
    static func notFound(
        _ what: String, _ name: String, in organization: OrganizationEntry, advice: String
    ) -> AdminFailure {
        let place = QuotedText.quoted(organization.name)
        return refused(
            "There is no \(what) \(QuotedText.quoted(name)) in organization \(place).",
            advice: advice
        ).because(.missing)
    }
}

/// Names from the command line within sentences.
enum QuotedText {
    /// A clause as a sentence: with a capital letter, a full stop, and nothing that could disturb a
    /// terminal.
    static func sentence(_ clause: String) -> String {
        capital(DisplayWidth.printable(clause)) + "."
    }

    /// The same text with a capital letter.
    static func capital(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst()
    }

    /// Puts a name into quotes, shortened and without anything that could disturb a terminal.
    static func quoted(_ name: String) -> String {
        "\"\(DisplayWidth.truncate(DisplayWidth.printable(name), to: 66))\""
    }
}
