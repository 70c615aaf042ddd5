import Testing

@testable import Gateway

@Suite struct OpenAIUpstreamConfigurations {
    @Test(arguments: [
        "https://api.openai.com/v1", "http://127.0.0.1:8000/v1/", "http://[::1]:80",
    ])
    func `a base URL of an API is accepted`(url: String) {
        #expect(OpenAIUpstreamConfiguration.problem(withBaseURL: url) == nil)
    }

    @Test(arguments: [
        "", "api.openai.com", "ftp://a/b", "file:///etc/passwd", "https://", "https:///v1",
        "https://user:pw@host/v1", "https://host/v1?x=1", "https://host/v1#x", "https://ho st/v1",
        "https://host/v1\r\nX: y", "https://host\\@evil/v1", "https://höst/v1",
    ])
    func `a base URL that could lead elsewhere is refused`(url: String) {
        #expect(OpenAIUpstreamConfiguration.problem(withBaseURL: url) != nil)
    }

    @Test func `a credential shows itself to nobody`() throws {
        let credential = try #require(UpstreamCredential(bytes: Array(UpstreamUnderTest.key.utf8)))
        var dumped = ""
        dump(credential, to: &dumped)
        #expect(!dumped.contains("sk-") && !dumped.contains("115"))
        #expect(!"\(credential)\(String(reflecting: credential))".contains("sk-"))
        let configuration = OpenAIUpstreamConfiguration(
            name: "n", baseURL: "https://h", credential: credential)
        #expect(!String(reflecting: configuration).contains("sk-"))
    }

    @Test(arguments: ["", "two words", "line\n", "tab\t", "é"])
    func `a credential that no header may have is refused`(text: String) {
        #expect(UpstreamCredential(bytes: Array(text.utf8)) == nil)
    }
}
