import Testing

@testable import TurnpikeConfiguration

@Suite struct PrivateAddresses {
    @Test(arguments: [
        "http://localhost/v1", "http://LOCALHOST:80", "http://a.localhost", "http://127.0.0.1:1/v1",
        "https://10.1.2.3", "http://172.16.0.1", "http://172.31.9.9", "http://192.168.0.1",
        "http://169.254.169.254/latest", "http://100.64.0.1", "http://0.0.0.0:8", "http://[::1]:8",
        "http://[::]/", "http://[fe80::1]", "http://[fd00::1]:9/v1", "http://[::ffff:127.0.0.1]",
    ])
    func `a private address is told`(_ url: String) {
        #expect(PrivateAddress.isNamed(inURL: url))
    }

    @Test(arguments: [
        "https://api.openai.com/v1", "https://8.8.8.8", "http://172.15.0.1", "http://172.32.0.1",
        "http://192.169.0.1", "http://100.63.0.1", "http://100.128.0.1", "http://[2606:4700::1]",
        "http://10.example.com", "http://localhost.example.com",
    ])
    func `a public one is not`(_ url: String) {
        #expect(!PrivateAddress.isNamed(inURL: url))
    }

    @Test func `an upstream on this machine is accepted when the file says so`() throws {
        let text = try GoodFile.text(
            replacing: "https://api.example.com/v1",
            with: "http://127.0.0.1:8000/v1, allow_private_addresses: true")
        #expect(GoodFile.problems(of: text) == [])
    }
}
