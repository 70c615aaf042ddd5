/// What stands in the place of personal data (the contract's `pii_replace_method`).
public enum ReplacementMethod: String, CaseIterable, Sendable {
    /// Random characters of the same shape: a digit for a digit, a letter for a letter.
    case random
    /// An invented value of the same kind and writing that is itself well formed.
    case fake
    /// The kind's name, `<EMAIL_ADDRESS>`.
    case category
    /// An asterisk for each character, marks that join another one counted by themselves.
    case mask
}
