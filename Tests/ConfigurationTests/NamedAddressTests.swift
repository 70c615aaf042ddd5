import Domain
import Testing

@testable import TurnpikeConfiguration

@Suite struct NamedAddresses {
    @Test(arguments: [
        "http://localhost/v1", "http://LOCALHOST:80", "http://a.localhost", "http://127.0.0.1:1/v1",
        "https://10.1.2.3", "http://172.16.0.1", "http://172.31.9.9", "http://192.168.0.1",
        "http://169.254.169.254/latest", "http://100.64.0.1", "http://0.0.0.0:8", "http://[::1]:8",
        "http://[::]/", "http://[fe80::1]", "http://[fd00::1]:9/v1", "http://[::ffff:127.0.0.1]",
    ])
    func `a private address is told`(_ url: String) throws {
        #expect(try AddressPolicy.publicOnly.refusal(of: #require(NamedAddress.inURL(url))) != nil)
    }

    @Test(arguments: [
        "https://api.openai.com/v1", "https://8.8.8.8", "http://172.15.0.1", "http://172.32.0.1",
        "http://192.169.0.1", "http://100.63.0.1", "http://100.128.0.1", "http://[2606:4700::1]",
        "http://10.example.com", "http://localhost.example.com",
    ])
    func `a public one is not`(_ url: String) {
        #expect(NamedAddress.inURL(url).flatMap(AddressPolicy.publicOnly.refusal) == nil)
    }

    @Test func `an upstream on this machine is accepted when the file says so`() throws {
        let text = try GoodFile.text(
            replacing: "https://api.example.com/v1",
            with: "http://127.0.0.1:8000/v1, allow_private_addresses: true")
        #expect(GoodFile.problems(of: text) == [])
    }

    private func problems(with members: String) throws -> [String] {
        try GoodFile.problems(
            of: GoodFile.text(replacing: "https://api.example.com/v1", with: members))
    }

    @Test func `an exception is accepted for its addresses only`() throws {
        #expect(
            try problems(with: "http://10.1.2.3/v1, allow_addresses: [10.1.0.0/16, \"::1\"]") == [])
        #expect(
            try problems(with: "http://169.254.1.1/v1, allow_addresses: [169.254.1.1]") == [])
        let other = try problems(with: "http://10.2.0.1/v1, allow_addresses: [10.1.0.0/16]")
        #expect(other.count == 1)
        #expect(other.first?.contains("allow_private_addresses: true") == true)
        #expect(other.first?.contains("allow_addresses: [10.2.0.1]") == true)
    }

    @Test func `what is link-local is not opened with what is private`() throws {
        let told = try problems(
            with: "http://169.254.169.254/v1, allow_private_addresses: true")
        #expect(told.count == 1)
        #expect(told.first?.contains("link-local") == true)
        #expect(told.first?.contains("allow_addresses: [169.254.169.254]") == true)
        #expect(told.first?.contains("allow_private_addresses: true") == false)
    }

    @Test func `a range that is none is told with its place`() throws {
        let told = try problems(with: "https://x.example/v1, allow_addresses: [10.0.0.1/8]")
        #expect(told.count == 1 && told.first?.contains("allow_addresses[0]") == true, "\(told)")
    }
}
