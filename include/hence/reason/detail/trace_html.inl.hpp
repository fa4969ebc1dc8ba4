// to_html() of reason/trace.hpp: the page and its script. The trace goes into it as JSON inside a script
// element, where "<" is written \u003c so that no text of a model can end the element or run as code.
#ifndef HENCE_REASON_DETAIL_TRACE_HTML_INL_HPP
#define HENCE_REASON_DETAIL_TRACE_HTML_INL_HPP

#include "../trace.hpp"

#include <nlohmann/json.hpp>

HENCE_NAMESPACE_BEGIN

namespace detail {

inline constexpr std::string_view trace_page_head = R"page(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hence: trace</title>
<style>
:root{--bg:#fff;--fg:#1c2128;--dim:#66707b;--line:#d5dbe1;--card:#f6f8fa;--good:#1a7f37;--goodbg:#e6f6ea}
@media(prefers-color-scheme:dark){:root{--bg:#14181d;--fg:#e4e8ec;--dim:#8d98a4;--line:#333b44;--card:#1d2329;--good:#4cc26c;--goodbg:#16301e}}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
header{padding:16px 20px;border-bottom:1px solid var(--line)}
h1{font-size:17px;margin:0 0 6px}h1 small{color:var(--dim);font-weight:400}
pre{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0}
dl{display:flex;flex-wrap:wrap;gap:4px 22px;margin:8px 0 0}dl div{display:flex;gap:6px}
dt{color:var(--dim)}dd{margin:0;font-variant-numeric:tabular-nums}
nav{position:sticky;top:0;display:flex;flex-wrap:wrap;gap:8px;padding:8px 20px;background:var(--bg);border-bottom:1px solid var(--line)}
button,input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:6px;padding:3px 10px}
input{flex:1;min-width:140px;max-width:340px}button[aria-pressed=true]{border-color:var(--good);color:var(--good)}
main{padding:12px 20px 60px}
ul{list-style:none;margin:0;padding-left:18px;border-left:1px solid var(--line)}main>ul{padding-left:0;border:0}
li{margin:6px 0}
.node{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:6px 10px;max-width:900px}
.chosen>.node{border-color:var(--good);background:var(--goodbg)}
.top{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:baseline;color:var(--dim);font-size:13px}
.top b{color:var(--fg)}.top button{padding:0 7px;line-height:1.4}.score{color:var(--good);font-variant-numeric:tabular-nums}
li.shut>ul{display:none}.hit>.node{outline:2px solid #d4a72c}
</style></head><body>
<header><h1>hence <small id="strategy"></small></h1><pre id="question"></pre><dl id="facts"></dl></header>
<nav><button id="open">Open all</button><button id="shut">Close all</button><button id="path" aria-pressed="false">Chosen path only</button>
<input id="find" type="search" placeholder="Find in the texts" aria-label="Find in the texts"><span id="count"></span></nav>
<main><ul id="tree"></ul></main>
<script id="trace" type="application/json">)page";

inline constexpr std::string_view trace_page_tail = R"page(</script>
<script>
"use strict";
const t=JSON.parse(document.getElementById("trace").textContent),$=i=>document.getElementById(i);
$("strategy").textContent=t.strategy;$("question").textContent=t.question;
const facts=[["answer",t.answer||"none"],["why",t.why],["model",t.model],["tokens",t.usage.generated_tokens+t.usage.forced_tokens+t.usage.scored_tokens],
["forwards",t.usage.forwards],["seconds",t.seconds.toFixed(3)],["seed",t.seed],["replay",t.replay_hash],["cut by the budget",t.cut?"yes":""]];
for(const[k,v]of facts){if(v===""||v===undefined)continue;const d=document.createElement("div"),a=document.createElement("dt"),b=document.createElement("dd");
a.textContent=k;b.textContent=v;d.append(a,b);$("facts").append(d);}
const items=[],lists=[];
t.nodes.forEach((n,i)=>{
const li=document.createElement("li"),box=document.createElement("div"),top=document.createElement("div"),ul=document.createElement("ul");
box.className="node";top.className="top";
const add=(text,tag,cls)=>{const e=document.createElement(tag||"span");e.textContent=text;if(cls)e.className=cls;top.append(e);return e;};
add(n.kind,"b");if(n.score!==null)add(Number(n.score).toFixed(3),"span","score");if(n.tokens)add(n.tokens+" tokens");
if(i>0)add(n.seconds.toFixed(3)+" s");if(n.why)add(n.why);
box.append(top);const pre=document.createElement("pre");pre.textContent=n.text;box.append(pre);li.append(box);
if(n.chosen)li.classList.add("chosen");items.push(li);lists.push(ul);
(n.parent===null?$("tree"):lists[n.parent]).append(li);
});
items.forEach((li,i)=>{if(!lists[i].children.length)return;li.append(lists[i]);
const b=document.createElement("button"),n=lists[i].children.length;
const show=()=>{const shut=li.classList.contains("shut");b.textContent=shut?"+ "+n:"\u2212 "+n;b.setAttribute("aria-expanded",String(!shut));};
b.addEventListener("click",()=>{li.classList.toggle("shut");show();});li.refresh=show;show();li.querySelector(".top").append(b);});
const all=shut=>items.forEach((li,i)=>{if(i>0&&lists[i].children.length){li.classList.toggle("shut",shut);li.refresh();}});
$("open").addEventListener("click",()=>all(false));$("shut").addEventListener("click",()=>all(true));
$("path").addEventListener("click",e=>{const on=e.target.getAttribute("aria-pressed")!=="true";e.target.setAttribute("aria-pressed",String(on));
items.forEach((li,i)=>{li.hidden=on&&!t.nodes[i].chosen&&i>0;});});
$("find").addEventListener("input",e=>{const q=e.target.value.toLowerCase();let hits=0;
items.forEach((li,i)=>{const hit=q!==""&&t.nodes[i].text.toLowerCase().includes(q);li.classList.toggle("hit",hit);hits+=hit;
if(hit)for(let p=t.nodes[i].parent;p!==null;p=t.nodes[p].parent){items[p].classList.remove("shut");if(items[p].refresh)items[p].refresh();}});
$("count").textContent=q===""?"":hits+" found";});
</script></body></html>
)page";

}  // namespace detail

HENCE_INLINE std::string to_html(const trace& t) {
    const std::string data = detail::trace_document(t).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    std::string out(detail::trace_page_head);
    for (const char c : data) {
        if (c == '<') out += "\\u003c";
        else if (c == '>') out += "\\u003e";
        else if (c == '&') out += "\\u0026";
        else out += c;
    }
    out.append(detail::trace_page_tail);
    return out;
}

HENCE_NAMESPACE_END

#endif
