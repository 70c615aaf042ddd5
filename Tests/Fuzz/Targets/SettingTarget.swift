import Domain

@testable import TurnpikeConfiguration

/// A value of the configuration file: what is accepted is what stands there, and is written back the
/// same.
enum SettingTarget: FuzzTarget {
    static func run(_ input: [UInt8]) {
        let text = String(decoding: input.prefix(8 << 10), as: UTF8.self)
        if let address = ListenAddress(text) {
            Property.require((0...65_535).contains(address.port), "a port is out of range")
            Property.require(
                ListenAddress(address.description) == address, "an address is written differently")
        }
        if let number = Accepted<Int64>.whole(1...1000).read(text) {
            Property.require((1...1000).contains(number), "a number is out of range")
        }
        let range: ClosedRange<Duration> = .milliseconds(10) ... .seconds(3600)
        if let duration = Accepted<Duration>.duration(range).read(text) {
            Property.require(range.contains(duration), "a time is out of range")
        }
        if let amount = Accepted<NanoUSD>.dollars.read(text) {
            Property.require(
                NanoUSD(dollars: amount.description) == amount, "dollars are written differently")
        }
        if let name = Accepted<String>.environmentName.read(text) {
            Property.require(name == text, "a name is not what stands there")
        }
        _ = NamedAddress.inURL(text)
        if let address = IPAddress(text) {
            Property.require(
                IPAddress(address.description) == address, "an address is read differently")
            _ = AddressPolicy.publicOnly.refusal(of: address)
        }
        complete(text)
    }

    /// Every variable has the value `1`: what is put in is as long as it is, and nothing else
    /// changes.
    private static func complete(_ text: String) {
        var names: [String] = []
        do throws(EnvironmentText.Fault) {
            let whole = try EnvironmentText.complete(text) { name in
                names.append(name)
                return "1"
            }
            Property.require(
                names.allSatisfy(EnvironmentText.isName), "a variable is asked for by no name")
            Property.require(
                whole.utf8.count <= text.utf8.count, "a text grows by what is shorter")
            Property.require(
                text.utf8.contains(UInt8(ascii: "$")) || whole == text,
                "a text without variables changes")
        } catch {
            Property.require(
                text.utf8.contains(UInt8(ascii: "$")), "a text without variables is refused")
        }
    }
}
