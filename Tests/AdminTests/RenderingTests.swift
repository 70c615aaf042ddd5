import Domain
import Foundation
import Testing

@testable import Admin

@Suite struct `Texts for people and programs` {
    @Test func `digits are grouped by three`() {
        #expect(NumberText.grouped(0) == "0")
        #expect(NumberText.grouped(999) == "999")
        #expect(NumberText.grouped(1000) == "1,000")
        #expect(NumberText.grouped(-1_234_567) == "-1,234,567")
        #expect(NumberText.grouped(Int128(Int64.max)) == "9,223,372,036,854,775,807")
    }

    @Test func `money is exact to the billionth of a dollar`() {
        #expect(NumberText.dollars(nanoUSD: 0) == "0.00")
        #expect(NumberText.dollars(nanoUSD: 2_500_000_000) == "2.50")
        #expect(NumberText.dollars(nanoUSD: 1) == "0.000000001")
        #expect(NumberText.dollars(nanoUSD: 1_431_200_000) == "1.4312")
        #expect(NumberText.dollars(nanoUSD: -1_500_000_000) == "-1.50")
        let most = Int128(Int64.max)
        #expect(NumberText.dollars(nanoUSD: most) == "9223372036.854775807")
        #expect(
            NumberText.dollars(nanoUSD: most, decimals: 9, grouping: true)
                == "9,223,372,036.854775807")
    }

    @Test(arguments: [
        ("", 0), ("abc", 3), ("研究", 4), ("é", 1), ("e\u{301}", 1), ("🙂", 2), ("👩‍👩‍👧", 2), ("🇩🇪", 2),
        ("한글", 4), ("ＡＢ", 4), ("✓", 1), ("❤️", 2), ("a\u{200D}", 1), ("…", 1), ("█▏", 2),
    ])
    func `a text takes the columns that a terminal gives it`(text: String, columns: Int) {
        #expect(DisplayWidth.of(text) == columns)
    }

    @Test func `a long name is cut with a sign, never in the middle of a character`() {
        #expect(DisplayWidth.truncate("research", to: 8) == "research")
        #expect(DisplayWidth.truncate("research", to: 5) == "rese…")
        #expect(DisplayWidth.truncate("研究研究", to: 5) == "研究…")
        #expect(DisplayWidth.truncate("研究研究", to: 4) == "研…")
        #expect(DisplayWidth.truncate("👩‍👩‍👧👩‍👩‍👧", to: 3) == "👩‍👩‍👧…")
        #expect(DisplayWidth.truncate("ab", to: 1) == "…")
        #expect(DisplayWidth.truncate("ab", to: 0) == "")
    }

    @Test func `a name cannot move the cursor, hide itself or turn the line around`() {
        #expect(
            DisplayWidth.printable("a\u{1B}[2Jb\nc\u{202E}d\u{2028}e")
                == "a\u{FFFD}[2Jb\u{FFFD}c\u{FFFD}d\u{FFFD}e")
        #expect(DisplayWidth.printable("研究 🙂 é") == "研究 🙂 é")
    }

    @Test func `a bar is as long as its share, and something never looks like nothing`() {
        #expect(Chart.bar(10, of: 10, width: 4) == "████")
        #expect(Chart.bar(5, of: 10, width: 4) == "██")
        #expect(Chart.bar(1, of: 1_000_000, width: 4) == "▏")
        #expect(Chart.bar(0, of: 10, width: 4) == "")
        #expect(Chart.bar(0, of: 0, width: 4) == "")
        #expect(Chart.bar(11, of: 10, width: 4) == "████")
        #expect(Chart.bar(.max, of: .max, width: 12) == "████████████")
        #expect(Chart.bar(1, of: .max, width: 12) == "▏")
    }

    @Test func `a sparkline has a place for every value and for none`() {
        #expect(Chart.sparkline([1, 2, 0, 8], width: 10) == "▁▂ █")
        #expect(Chart.sparkline([0, 0], width: 10) == "  ")
        #expect(Chart.sparkline([1, 1, 1, 1, 4], width: 3) == "▄▄█")
        #expect(Chart.sparkline([], width: 10) == "")
        #expect(Chart.sparkline([.max, .max, 1], width: 2) == "█▁")
    }

    @Test func `JSON holds whatever a name holds`() throws {
        let name = "q\"uote\\ \u{0}\n\t\u{1F}\u{2028}\u{202E} 研究 🙂"
        let text = JSONText.array([
            Record([("name", .text(name)), ("n", .integer(Int64.max)), ("flag", .flag(true))]),
            Record([("name", .missing), ("list", .names(["a", "b\""])), ("none", .names([]))]),
        ])
        let parsed = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        #expect(parsed?.count == 2)
        #expect(parsed?[0]["name"] as? String == name)
        #expect((parsed?[0]["n"] as? NSNumber)?.int64Value == .max)
        #expect(parsed?[1]["list"] as? [String] == ["a", "b\""])
        #expect(parsed?[1]["name"] is NSNull)
        #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
        #expect(JSONText.array([]) == "[]")
        #expect(JSONText.string("\u{E0001}") == "\"\\udb40\\udc01\"")
    }

    @Test func `CSV quotes what RFC 4180 wants quoted and disarms formulas`() {
        let file = CSVText.file(
            names: ["name", "n", "models"],
            records: [
                Record([
                    ("name", .text("a,b\"c\nd")), ("n", .integer(Int64(-5))), ("models", .missing),
                ]),
                Record([("name", .text("=1+1")), ("n", .missing), ("models", .names(["x", "y"]))]),
                Record([("name", .text("@a")), ("n", .flag(false)), ("models", .names([]))]),
                Record([("name", .text("-a")), ("n", .integer(Int64(1))), ("models", .text("+a"))]),
                Record([
                    ("name", .text("\t=a")), ("n", .integer(Int64(1))), ("models", .text("a=b")),
                ]),
            ])
        #expect(
            file
                == "name,n,models\r\n\"a,b\"\"c\nd\",-5,\r\n'=1+1,,\"x,y\"\r\n'@a,false,\r\n'-a,1,'+a\r\n"
                + "'\t=a,1,a=b\r\n")
        #expect(CSVText.file(names: ["a", "b"], records: []) == "a,b\r\n")
    }

    @Test func `a table gives way in order: bar, texts, optional columns, and says so`() {
        let columns: [TableColumn] = [
            .text("Name", minimum: 6), .number("Tokens"), .number("Cost", droppedAt: 1),
            TableColumn(header: "", isNumeric: false, fit: .bar(maximum: 8)),
        ]
        let row: [TableFormatter.Cell] = [
            .text("a rather long name"), .text("123,456"), .text("$1.50"), .bar(value: 1, of: 2),
        ]
        func lines(_ width: Int) -> [String] {
            TableFormatter(width: width, style: .plain).lines(
                columns: columns, rows: [row], totals: nil)
        }
        #expect(
            lines(60) == [
                "Name                 Tokens   Cost",
                "a rather long name  123,456  $1.50  ████",
            ])
        #expect(lines(34)[1] == "a rather long name  123,456  $1.50")
        #expect(lines(28)[1] == "a rather lo…  123,456  $1.50")
        #expect(lines(20).prefix(2) == ["Name          Tokens", "a rather l…  123,456"])
        #expect(lines(20).dropFirst(2).joined(separator: " ").contains("Left out for width: Cost."))
    }

    @Test func `colour surrounds cells and leaves their widths alone`() {
        let columns: [TableColumn] = [.text("Name", minimum: 6), .number("Tokens")]
        let rows: [[TableFormatter.Cell]] = [[.text("x"), .text("1")]]
        let plain = TableFormatter(width: 60, style: .plain).lines(
            columns: columns, rows: rows, totals: rows[0])
        let coloured = TableFormatter(width: 60, style: TextStyle(isColoured: true)).lines(
            columns: columns, rows: rows, totals: rows[0])
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(/\u{1B}\[[0-9;]*m/, with: "") } == plain)
    }

    @Test func `the width is the terminal's within reason, and 80 where there is none`() {
        #expect(TerminalWidth.columns(isTerminal: false, environment: "200", window: 120) == 80)
        #expect(TerminalWidth.columns(isTerminal: true, environment: nil, window: 120) == 120)
        #expect(TerminalWidth.columns(isTerminal: true, environment: "100", window: 120) == 100)
        #expect(TerminalWidth.columns(isTerminal: true, environment: "20", window: nil) == 60)
        #expect(TerminalWidth.columns(isTerminal: true, environment: "x", window: nil) == 80)
        #expect(TerminalWidth.columns(isTerminal: true, environment: "0", window: 0) == 80)
        #expect(TerminalWidth.columns(isTerminal: true, environment: nil, window: 100_000) == 200)
    }

    @Test func `the configuration is looked for in the documented order`() throws {
        func find(_ option: String?, _ variables: [String: String], _ files: Set<String>) throws
            -> String
        {
            try ConfigurationSearch.file(
                option: option, environment: { variables[$0] }, exists: { files.contains($0) })
        }
        let state = "/s/turnpike/turnpike.yaml"
        #expect(try find("a", ["TURNPIKE_CONFIG": "b"], ["turnpike.yaml"]) == "a")
        #expect(try find(nil, ["TURNPIKE_CONFIG": "b"], ["turnpike.yaml"]) == "b")
        #expect(
            try find(
                nil, ["TURNPIKE_CONFIG": "", "XDG_STATE_HOME": "/s"], ["turnpike.yaml", state])
                == "turnpike.yaml")
        #expect(try find(nil, ["XDG_STATE_HOME": "/s", "HOME": "/h"], [state]) == state)
        let home = "/h/.local/state/turnpike/turnpike.yaml"
        #expect(try find(nil, ["HOME": "/h"], [home]) == home)
        #expect(try find(nil, ["XDG_STATE_HOME": "relative", "HOME": "/h"], [home]) == home)
        let error = #expect(throws: AdminFailure.self) { try find(nil, ["HOME": "/h"], []) }
        #expect(error?.status == .wrongUsage)
        #expect(error?.message.contains(home) == true)
    }
}
