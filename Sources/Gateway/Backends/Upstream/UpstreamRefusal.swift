/// A call that an upstream did not take, and what that says of the credential it was made with.
struct UpstreamRefusal: Error {
    let failure: BackendFailure
    /// What it says of the credential; nil if nothing.
    let verdict: CredentialRotation.Verdict?
}
