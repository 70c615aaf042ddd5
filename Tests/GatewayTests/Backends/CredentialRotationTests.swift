import Domain
import Testing

@testable import Gateway

@Suite struct CredentialRotations {
    private let start = Uptime(microseconds: 1_000_000)

    private func at(_ seconds: Int64) -> Uptime { start + .seconds(seconds) }

    @Test func `the first is used as long as none is limited`() {
        var rotation = CredentialRotation(count: 3)
        for second in 0..<5 {
            #expect(rotation.choose(for: "m", beside: [], at: at(Int64(second))) == .use(0))
            _ = rotation.note(.accepted, of: 0, for: "m", at: at(Int64(second)))
        }
    }

    @Test func `one that is limited rests for as long as it says, and the next is used`() {
        var rotation = CredentialRotation(count: 2)
        _ = rotation.note(.limited(.seconds(7)), of: 0, for: "m", at: at(0))
        #expect(rotation.choose(for: "m", beside: [], at: at(0)) == .use(1))
        #expect(rotation.choose(for: "m", beside: [], at: at(6)) == .use(1))
    }

    @Test func `of those that are ready the one whose limit is longest ago is used`() {
        var rotation = CredentialRotation(count: 3)
        _ = rotation.note(.limited(.seconds(1)), of: 0, for: "m", at: at(0))
        _ = rotation.note(.limited(.seconds(1)), of: 2, for: "m", at: at(1))
        _ = rotation.note(.limited(.seconds(1)), of: 1, for: "m", at: at(2))
        #expect(rotation.choose(for: "m", beside: [], at: at(10)) == .use(0))
        _ = rotation.note(.limited(.seconds(1)), of: 0, for: "m", at: at(10))
        #expect(rotation.choose(for: "m", beside: [], at: at(20)) == .use(2))
    }

    @Test func `when all rest a call waits for the first that is ready again`() {
        var rotation = CredentialRotation(count: 2)
        _ = rotation.note(.limited(.seconds(9)), of: 0, for: "m", at: at(0))
        _ = rotation.note(.limited(.seconds(4)), of: 1, for: "m", at: at(1))
        #expect(rotation.choose(for: "m", beside: [], at: at(2)) == .wait(.seconds(3)))
        #expect(rotation.choose(for: "m", beside: [], at: at(5)) == .use(1))
    }

    @Test(
        arguments: [
            (nil, CredentialRotation.usualRest), (.seconds(-5), .zero), (.seconds(3), .seconds(3)),
            (.seconds(86_400), CredentialRotation.longestRest),
        ] as [(Duration?, Duration)])
    func `a rest has a usual length and a longest one`(_ told: Duration?, _ rest: Duration) {
        var rotation = CredentialRotation(count: 1)
        _ = rotation.note(.limited(told), of: 0, for: "m", at: at(0))
        let before = start + rest + .microseconds(-1)
        if rest > .zero {
            #expect(
                rotation.choose(for: "m", beside: [], at: before) == .wait(.microseconds(1)))
        }
        #expect(rotation.choose(for: "m", beside: [], at: start + rest) == .use(0))
    }

    @Test func `a limit is of one model, since that is how upstreams count`() {
        var rotation = CredentialRotation(count: 1)
        _ = rotation.note(.limited(.seconds(9)), of: 0, for: "m", at: at(0))
        #expect(rotation.choose(for: "n", beside: [], at: at(0)) == .use(0))
    }

    @Test func `one that is refused is set aside for every model, told once, and tried again`() {
        var rotation = CredentialRotation(count: 2)
        #expect(
            rotation.note(.refused, of: 0, for: "m", at: at(0)) == CredentialRotation.timeAside)
        #expect(rotation.note(.refused, of: 0, for: "m", at: at(1)) == nil)
        #expect(rotation.choose(for: "n", beside: [], at: at(2)) == .use(1))
        #expect(rotation.choose(for: "n", beside: [], at: at(600)) == .use(1))
        #expect(rotation.choose(for: "n", beside: [], at: at(601)) == .use(0))
        #expect(rotation.note(.refused, of: 0, for: "m", at: at(602)) != nil)
    }

    @Test func `one that is refused for a model serves the others`() {
        var rotation = CredentialRotation(count: 2)
        #expect(rotation.note(.refusedForModel, of: 0, for: "m", at: at(0)) == .seconds(60))
        #expect(rotation.note(.refusedForModel, of: 0, for: "m", at: at(1)) == nil)
        #expect(rotation.choose(for: "m", beside: [], at: at(2)) == .use(1))
        #expect(rotation.choose(for: "n", beside: [], at: at(2)) == .use(0))
        #expect(rotation.choose(for: "m", beside: [], at: at(61)) == .use(0))
    }

    @Test func `where all are refused the one that was first is tried, once for a call`() {
        var rotation = CredentialRotation(count: 2)
        _ = rotation.note(.refused, of: 1, for: "m", at: at(0))
        _ = rotation.note(.refused, of: 0, for: "m", at: at(5))
        #expect(rotation.choose(for: "m", beside: [], at: at(6)) == .use(1))
        #expect(rotation.choose(for: "m", beside: [1], at: at(6)) == nil)
        _ = rotation.note(.accepted, of: 1, for: "m", at: at(7))
        #expect(rotation.choose(for: "m", beside: [], at: at(8)) == .use(1))
    }

    @Test func `one that rests is waited for, rather than one used that is refused`() {
        var rotation = CredentialRotation(count: 2)
        _ = rotation.note(.refused, of: 0, for: "m", at: at(0))
        _ = rotation.note(.limited(.seconds(5)), of: 1, for: "m", at: at(0))
        #expect(rotation.choose(for: "m", beside: [], at: at(1)) == .wait(.seconds(4)))
    }

    @Test func `a call has each at most once`() {
        let rotation = CredentialRotation(count: 2)
        #expect(rotation.choose(for: "m", beside: [0], at: at(0)) == .use(1))
        #expect(rotation.choose(for: "m", beside: [0, 1], at: at(0)) == nil)
    }
}
