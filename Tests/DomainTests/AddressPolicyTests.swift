import Testing

@testable import Domain

@Suite struct AddressPolicies {
    private func purpose(_ text: String) throws -> AddressPolicy.Purpose? {
        try AddressPolicy.publicOnly.refusal(of: #require(IPAddress(text)))
    }

    @Test(arguments: [
        ("127.0.0.1", AddressPolicy.Purpose.loopback), ("127.255.255.255", .loopback),
        ("::1", .loopback), ("::ffff:127.0.0.1", .loopback), ("::ffff:7f00:1", .loopback),
        ("::127.0.0.1", .loopback), ("::ffff:0:127.0.0.1", .loopback),
        ("64:ff9b::7f00:1", .loopback), ("2002:7f00:1::", .loopback),
        ("10.0.0.0", .privateNetwork), ("10.255.255.255", .privateNetwork),
        ("172.16.0.0", .privateNetwork), ("172.31.255.255", .privateNetwork),
        ("192.168.0.1", .privateNetwork), ("fc00::", .privateNetwork),
        ("fdff:ffff::1", .privateNetwork), ("64:ff9b::10.1.2.3", .privateNetwork),
        ("100.64.0.0", .sharedByCarrier), ("100.127.255.255", .sharedByCarrier),
        ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal), ("febf::1", .linkLocal),
        ("::ffff:169.254.169.254", .linkLocal), ("2002:a9fe:a9fe::1", .linkLocal),
        ("0.0.0.0", .unspecified), ("0.1.2.3", .unspecified), ("::", .unspecified),
        ("224.0.0.1", .multicast), ("239.255.255.255", .multicast), ("ff02::1", .multicast),
        ("255.255.255.255", .reserved), ("240.0.0.1", .reserved), ("198.18.0.1", .reserved),
        ("198.19.255.255", .reserved), ("192.0.0.170", .reserved), ("2001::1", .reserved),
        ("2001:1ff::", .reserved), ("fec0::1", .reserved), ("64:ff9b:1::1", .reserved),
        ("1fff::1", .reserved), ("4000::1", .reserved), ("192.0.2.1", .documentation),
        ("203.0.113.9", .documentation), ("2001:db8::1", .documentation),
        ("3fff:fff::1", .documentation),
    ])
    func `an address with a purpose of its own is told by it`(
        _ text: String, _ told: AddressPolicy.Purpose
    ) throws {
        #expect(try purpose(text) == told)
    }

    @Test(arguments: [
        "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
        "2606:4700::1111", "2001:200::1", "2001:4860:4860::8888", "2000::", "3ffe::1",
        "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
    ])
    func `a public address is permitted always`(_ text: String) throws {
        #expect(try purpose(text) == nil)
    }

    @Test func `one word permits what is private, and nothing beside it`() throws {
        let policy = AddressPolicy(permitsPrivate: true, exceptions: [])
        func isPermitted(_ text: String) throws -> Bool {
            try policy.refusal(of: #require(IPAddress(text))) == nil
        }
        for text in ["127.0.0.1", "::1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "fd00::1"] {
            #expect(try isPermitted(text), "\(text)")
        }
        for text in ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "192.0.2.1"] {
            #expect(try !isPermitted(text), "\(text)")
        }
    }

    @Test func `an exception permits its range, also inside of an address that carries it`() throws
    {
        let policy = AddressPolicy(
            permitsPrivate: false,
            exceptions: try ["127.0.0.1/32", "10.0.0.0/8", "169.254.7.0/24", "fd12::/16"].map {
                try #require(AddressRange($0))
            })
        func refusal(_ text: String) throws -> AddressPolicy.Purpose? {
            try policy.refusal(of: #require(IPAddress(text)))
        }
        for text in [
            "127.0.0.1", "10.9.8.7", "::ffff:10.9.8.7", "64:ff9b::10.9.8.7", "169.254.7.1",
            "fd12:3::4", "8.8.8.8",
        ] {
            #expect(try refusal(text) == nil, "\(text)")
        }
        #expect(try refusal("127.0.0.2") == .loopback)
        #expect(try refusal("::1") == .loopback)
        #expect(try refusal("192.168.0.1") == .privateNetwork)
        #expect(try refusal("169.254.169.254") == .linkLocal)
        #expect(try refusal("fd13::1") == .privateNetwork)
    }

    @Test(
        arguments: [
            ("1.2.3.4", [1, 2, 3, 4]), ("0.0.0.0", [0, 0, 0, 0]),
            ("::", [UInt8](repeating: 0, count: 16)),
            ("1:2:3:4:5:6:7:8", [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]),
            ("aBcD::1.2.3.4", [0xAB, 0xCD, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]),
            ("1::", [0, 1] + [UInt8](repeating: 0, count: 14)),
            ("::8", [UInt8](repeating: 0, count: 15) + [8]),
        ] as [(String, [UInt8])])
    func `an address is read as it is written, and back`(_ text: String, _ bytes: [UInt8]) throws {
        let address = try #require(IPAddress(text))
        #expect(address.bytes == bytes)
        #expect(IPAddress(address.description) == address)
        #expect(IPAddress(bytes: bytes) == address)
    }

    @Test(arguments: [
        "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "0x7f.0.0.1", "1.2.3.4 ", "+1.2.3.4",
        "2130706433", "localhost", ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8::", "12345::", "g::", "fe80::1%eth0", "1.2.3.4::", "::1.2.3", "::+1",
    ])
    func `what is no address is none`(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "/8", "::/129",
        "fd00::1/8", "10.0.0.0/+8", "10/8", "10.0.0.0/0008",
    ])
    func `what is no range is none`(_ text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test(arguments: [
        ("0.0.0.0/0", "9.9.9.9", true), ("0.0.0.0/0", "::1", false), ("::/0", "fe80::1", true),
        ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false),
        ("172.16.0.0/12", "172.31.0.1", true), ("172.16.0.0/12", "172.32.0.1", false),
        ("10.0.0.128/25", "10.0.0.127", false), ("10.0.0.128/25", "10.0.0.200", true),
    ])
    func `a range holds what begins with its bits`(
        _ range: String, _ address: String, _ holds: Bool
    ) throws {
        let range = try #require(AddressRange(range))
        #expect(try range.contains(#require(IPAddress(address))) == holds)
    }
}
