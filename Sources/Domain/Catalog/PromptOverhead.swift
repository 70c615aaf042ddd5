/// The most tokens that a backend adds to what a client puts into a prompt: its chat template, and
/// what it says of tools and formats. Only for backends that cannot count a prompt beforehand.
public struct PromptOverhead: Sendable, Hashable {
    /// Once.
    public var request: Int64 = 64
    /// For each message, and each call and part in it.
    public var message: Int64 = 16
    /// Once where tools are offered: a template explains how to call them, some at length.
    public var tools: Int64 = 1024
    /// For each tool beside its own text.
    public var tool: Int64 = 64
    /// Where JSON is asked for: an upstream may say so to the model.
    public var format: Int64 = 256

    /// What is usual: above every template that was looked at.
    public static let usual = PromptOverhead()
}
