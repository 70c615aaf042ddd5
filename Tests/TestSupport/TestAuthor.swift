public import Domain

extension ActionAuthor {
    /// Who makes the changes of tests that are not about who makes them.
    public static let test = ActionAuthor(way: .command, name: "test@here")
}
