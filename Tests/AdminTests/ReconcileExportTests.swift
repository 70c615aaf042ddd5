import Domain
import Foundation
import Ledger
import Testing

@testable import Admin

/// Providers' exports as they are read.
@Suite struct `Usage exports` {
    static let openAICSV = """
        start_time,end_time,start_time_iso,end_time_iso,project_id,num_model_requests,user_id,\
        api_key_id,model,batch,service_tier,input_tokens,output_tokens,input_cached_tokens,\
        input_uncached_tokens
        1793923200,1794009600,2026-11-06T00:00:00+00:00,2026-11-07T00:00:00+00:00,proj_1,3.0,,,\
        gpt-4o-2024-08-06,False,default,1000,50,400,600
        1794009600,1794096000,2026-11-07T00:00:00+00:00,2026-11-08T00:00:00+00:00,,,,,,,,,,,
        1794096000,1794182400,2026-11-08T00:00:00+00:00,2026-11-09T00:00:00+00:00,"proj, 2",1,,,\
        gpt-4o-2024-08-06,False,default,10,5,0,10

        """
    static let openAIJSON = """
        {"object":"page","data":[{"object":"bucket","start_time":1793923200,"end_time":1794009600,
        "results":[{"object":"organization.usage.completions.result","input_tokens":1000,
        "output_tokens":50,"input_cached_tokens":400,"num_model_requests":3,"model":
        "gpt-4o-2024-08-06","batch":null}]},
        {"object":"bucket","start_time":1794009600,"end_time":1794096000,"results":[]}],
        "has_more":true,"next_page":"AAA"}
        {"object":"page","data":[{"object":"bucket","start_time":1794096000,"end_time":1794182400,
        "results":[{"object":"organization.usage.completions.result","input_tokens":10,
        "output_tokens":5,"input_cached_tokens":0,"num_model_requests":1,
        "model":"gpt-4o-2024-08-0\\u0036"}]}],"has_more":false,"next_page":null}
        """
    static let anthropicCSV =
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
        + "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
        + "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
        + "web_search_count,inference_geo,speed\r\n"
        + "2026-11-06,claude-haiku-4-5-20251001,\"a \"\"b\"\",\nc\",Default,standard,≤ 200k,100,20,"
        + "30,50,7,0,global,\r\n"
    static let anthropicJSON = """
        [{"data":[{"ending_at":"2026-11-07T00:00:00Z","results":[
        {"api_key_id":null,"cache_creation":{"ephemeral_1h_input_tokens":30,
        "ephemeral_5m_input_tokens":20},"cache_read_input_tokens":50,"model":
        "claude-haiku-4-5-20251001","output_tokens":4,"server_tool_use":{"web_search_requests":10},
        "uncached_input_tokens":60},
        {"cache_creation":{"ephemeral_1h_input_tokens":0,"ephemeral_5m_input_tokens":0},
        "cache_read_input_tokens":0,"model":"claude-haiku-4-5-20251001","output_tokens":3,
        "uncached_input_tokens":40}],"starting_at":"2026-11-06T00:00:00Z"}],
        "has_more":false,"next_page":null}]
        """

    static func tally(
        _ text: String, step: BackendUsageQuery.Step = .day, pieces: Int = 1
    ) throws -> ExportTally {
        var rest = Array(text.utf8)[...]
        return try ExportFile.read(step: step) {
            defer { rest = rest.dropFirst(pieces) }
            return Array(rest.prefix(pieces))
        }
    }

    private static func day(_ number: Int) -> Timestamp {
        CalendarDay(year: 2026, month: 11, day: number).start
    }

    @Test(arguments: [1, 7, 65_536])
    func `OpenAI's CSV and JSON add up to the same, however they are cut`(pieces: Int) throws {
        for text in [
            Self.openAICSV, Self.openAICSV.replacing(",\n", with: ",\r\n"), Self.openAIJSON,
        ] {
            let tally = try Self.tally(text, pieces: pieces)
            #expect(tally.badRows == 0, "\(tally.named)")
            #expect(tally.format == .openAIUsage)
            #expect(tally.since == Self.day(6) && tally.until == Self.day(9))
            let model = "gpt-4o-2024-08-06"
            #expect(
                tally.amounts == [
                    .init(start: Self.day(6), model: model): [
                        .requests: 3, .prompt: 1000, .cached: 400, .completion: 50,
                    ],
                    .init(start: Self.day(8), model: model): [
                        .requests: 1, .prompt: 10, .cached: 0, .completion: 5,
                    ],
                ])
            #expect(tally.rows == 2 && !tally.isIncomplete)
        }
    }

    @Test(arguments: [1, 5, 65_536])
    func `Anthropic's CSV and JSON add up to the same, cached tokens among the prompt's`(
        pieces: Int
    ) throws {
        for text in [Self.anthropicCSV, "\u{FEFF}" + Self.anthropicCSV, Self.anthropicJSON] {
            // A byte order mark comes whole in the first piece of any real file.
            let tally = try Self.tally(text, pieces: max(pieces, 3))
            #expect(tally.badRows == 0, "\(tally.named)")
            #expect(
                tally.amounts == [
                    .init(start: Self.day(6), model: "claude-haiku-4-5-20251001"): [
                        .prompt: 200, .cached: 50, .cacheWrite: 50, .completion: 7,
                    ]
                ])
            #expect(tally.since == Self.day(6) && tally.until == Self.day(7))
        }
    }

    @Test func `costs are read exactly, in dollars and in cents`() throws {
        let openAI = try Self.tally(
            """
            start_time,end_time,amount_value,amount_currency,line_item,project_id
            1793923200,1794009600,0.003835980000000000000000000000,usd,"gpt-4o, input",
            1793923200,1794009600,5.7e-05,usd,,
            1793923200,1794009600,-0.000000001,usd,,
            """)
        #expect(openAI.amounts.values.map(\.rounded) == [[.cost: 3_892_979]])
        let anthropic = try Self.tally(
            "usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,"
                + "cost_type\n2026-11-06,Claude Haiku 4.5,Default,k,message,≤ 200k,output,0.02,token\n"
        )
        #expect(anthropic.amounts.values.map(\.rounded) == [[.cost: 20_000_000]])
        let cents = try Self.tally(
            """
            {"data":[{"starting_at":"2026-11-06T00:00:00Z","ending_at":"2026-11-07T00:00:00Z",
            "results":[{"amount":"123.45","currency":"USD","model":"claude-haiku-4-5"}]}]}
            """)
        #expect(cents.format == .anthropicCosts)
        #expect(cents.amounts.values.map(\.rounded) == [[.cost: 1_234_500_000]])
        let foreign = try Self.tally(
            "start_time,end_time,amount_value,amount_currency\n1793923200,1794009600,1,eur\n")
        #expect(foreign.named == [.init(line: 2, fault: "the amount is in \"eur\", not usd")])
    }

    @Test func `a bad row is named by the line on which it begins, and the rest counts`() throws {
        let text = """
            usage_date_utc,model_version,usage_input_tokens_no_cache,usage_output_tokens
            2026-11-06,claude-x,1,2
            2026-11-31,claude-x,1,2
            2026-11-06,"two
            lines",1,2
            2026-11-06,claude-x,1.5,2
            2026-11-06,claude-x,1
            """
        let tally = try Self.tally(text)
        #expect(tally.rows == 2 && tally.badRows == 3)
        #expect(tally.named.map(\.line) == [3, 6, 7])
        #expect(tally.named[1].fault.contains("\"1.5\", not a whole number"))
        let json = try Self.tally(
            """
            {"data":[{"start_time":1793923200,"end_time":1794009600,"results":[
            {"object":"organization.usage.images.result","images":3},
            {"input_tokens":"many"},
            {"input_tokens":5, "output_tokens":3}, {"input_tokens":4}]}]}
            """)
        #expect(json.rows == 1 && json.named.map(\.line) == [2, 3])
        // What one result says is not carried over into the next.
        #expect(json.amounts.values.first == [.prompt: 9, .completion: 3])
        #expect(json.named[0].fault.contains("organization.usage.images.result"))
        let days = try Self.tally(Self.anthropicCSV, step: .hour)
        #expect(days.rows == 0 && days.named.map(\.line) == [2])
    }

    @Test(arguments: [
        ("", "no export that can be compared"), ("a,b\n1,2\n", "\"a, b\""),
        ("{\"data\":[]", "ends within its JSON"), ("{\"error\":{}}", "no `data` with buckets"),
        ("{\"data\":[{]}", "no JSON. (line 1)"), ("{\n\"data\":\n,", "(line 3)"),
        ("{\"a\":truely}", "no JSON"),
    ])
    func `what is no export is refused with what would be one`(text: String, message: String) {
        let failure = #expect(throws: AdminFailure.self) { try Self.tally(text, pieces: 3) }
        #expect(failure?.message.contains(message) == true, "\(failure?.message ?? "")")
        #expect(failure?.advice != nil)
    }

    @Test func `numbers are read without floating point, and nonsense is none`() {
        #expect(DecimalText.count("3.0") == 3 && DecimalText.count("12") == 12)
        for text in ["", "-1", "1.5", "1,000", "0x10", "1e", "nan", " 1"] {
            #expect(DecimalText.count(text) == nil, "\(text)")
        }
        #expect(DecimalText.scaled("5.7e-05", decimals: 15) == 57_000_000_000)
        #expect(DecimalText.scaled("0.1", decimals: 15) == 100_000_000_000_000)
        #expect(DecimalText.scaled(String(repeating: "9", count: 60), decimals: 0) == nil)
    }

    /// A hundred thousand rows of 120 bytes: what stays is one day's sums.
    @Test func `a long file is read in pieces and leaves only its sums behind`() throws {
        let row = "2026-11-06,claude-haiku-4-5-20251001,key,Default,standard,200k,100,0,0,0,7\n"
        let header =
            "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
            + "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
            + "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens\n"
        var pieces = 0
        let piece = Array(String(repeating: row, count: 500).utf8)
        let tally = try ExportFile.read(step: .day) {
            pieces += 1
            return pieces == 1 ? Array(header.utf8) : pieces <= 201 ? piece : nil
        }
        #expect(tally.rows == 100_000 && tally.amounts.count == 1)
        #expect(tally.amounts.values.first?[.completion] == 700_000)
    }
}
