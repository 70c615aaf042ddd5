/// What was looked at, what was found, and what to do about it.
struct DoctorCheck: Equatable {
    /// How bad it is.
    enum State: String, CaseIterable {
        case ok
        /// It works, and will not do so for ever or under load.
        case warning
        /// A gateway would not start, or would not be safe.
        case fault
    }

    /// What was looked at: `database`, `backend openai`.
    let name: String
    let state: State
    /// What was found, in one sentence without a full stop.
    let finding: String
    /// What to do; nil where nothing is.
    let advice: String?

    /// Nothing to do.
    static func ok(_ name: String, _ finding: String) -> DoctorCheck {
        DoctorCheck(name: name, state: .ok, finding: finding, advice: nil)
    }
    /// It works for now.
    static func warning(_ name: String, _ finding: String, _ advice: String) -> DoctorCheck {
        DoctorCheck(name: name, state: .warning, finding: finding, advice: advice)
    }
    /// It does not work, or is not safe.
    static func fault(_ name: String, _ finding: String, _ advice: String) -> DoctorCheck {
        DoctorCheck(name: name, state: .fault, finding: finding, advice: advice)
    }
}
