/// How the page looks: one column where it is narrow, two where it is wide; dark where that is
/// preferred.
enum ReferencePageStyle {
    /// The whole of it. Inline, and named by its hash in the page's policy.
    static let css = """
        :root{color-scheme:light dark;--ink:#1c1e21;--soft:#5b626b;--line:#dfe3e8;--paper:#fff;--tint:#f4f6f8;--mark:#0b57a4}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e8eb;--soft:#9aa4af;--line:#30363d;--paper:#14171a;--tint:#1e2328;--mark:#79b8ff}}
        *{box-sizing:border-box}
        html{scroll-padding-top:1rem}
        body{margin:0 auto;max-width:76rem;padding:0 1rem 4rem;font:1rem/1.55 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
        h1{font-size:1.7rem;margin:1.4rem 0 .6rem}
        h2{font-size:1.35rem;margin:2.6rem 0 .6rem;padding-top:.8rem;border-top:2px solid var(--line)}
        h3{font-size:1.05rem;margin:1.8rem 0 .4rem}
        p{margin:.5rem 0;max-width:44rem}
        a{color:var(--mark)}
        code,pre{font:.9em/1.5 ui-monospace,monospace}
        code{overflow-wrap:anywhere}
        h3 code{font-size:1em;font-weight:600}
        pre{background:var(--tint);padding:.8rem;border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
        .path{margin:.2rem 0}
        .path code{font-weight:600}
        nav ul{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.2rem 1rem}
        dl{margin:0}
        dl+dl{margin-top:1.4rem}
        dl>div{padding:.5rem 0;border-bottom:1px solid var(--line)}
        .terse dl{columns:18rem;column-gap:2rem}
        .terse dl>div{break-inside:avoid;padding:.15rem 0;border:0}
        dl>div:target,tr:target{background:var(--tint)}
        dt>code{font-weight:600;margin-right:.4rem}
        dt span{color:var(--soft);font-size:.92em}
        dd{margin:.1rem 0 0;max-width:44rem}
        table{border-collapse:collapse;width:100%;font-size:.94rem}
        th,td{text-align:left;vertical-align:top;padding:.45rem .7rem .45rem 0;border-bottom:1px solid var(--line)}
        @media(min-width:47rem){td:nth-child(-n+3) code{white-space:nowrap}}
        @media(max-width:46.99rem){
        table,tbody,tr,td{display:block}
        thead{display:none}
        tr{padding:.5rem 0;border-bottom:1px solid var(--line)}
        td{border:0;padding:.05rem 0}
        td:nth-child(-n+3){display:inline-block;margin-right:.7rem}
        td:empty{display:none}
        }
        @media(min-width:68rem){
        body{display:grid;grid-template-columns:14rem minmax(0,1fr);column-gap:2.5rem}
        header{grid-column:1/-1}
        nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1rem 0}
        nav ul{display:block}
        nav li{margin:.35rem 0}
        main>section:first-child h2{margin-top:0}
        }
        """
}
