"""One row or more for each check: the smallest file that breaks it, and what is said."""

import pytest

POOL = "version: 1\nmodels: {a: {endpoints: [{url: http://h:1}]}}\n"
ROUTING = POOL + "routing:\n  default_model: a\n"
TWO = """version: 1
reasoning_families: {q: {type: chat_template_kwargs, parameter: p}, g: {type: reasoning_effort, parameter: e}}
models: {a: {endpoints: [{url: http://h}], reasoning_family: q}, b: {endpoints: [{url: http://g}], reasoning_family: g}}
routing:
  default_model: a
"""


def when(*rules: str) -> str:
    """A file with one decision a rule; an empty rule is no ``when`` at all. Lines of rules are 7, 8, 9, …"""
    decisions = (
        f"  - {{name: d{index}, models: [{{model: a}}]{f', when: {rule}' if rule else ''}}}\n"
        for index, rule in enumerate(rules)
    )
    signals = "  signals: {keywords: [{name: urgent, any: [now]}], lengths: [{name: long, min_tokens: 9}]}\n"
    used = "  - {name: used, priority: -1, models: [{model: a}], when: {any: [{keyword: urgent}, {length: long}]}}\n"
    return ROUTING + signals + "  decisions:\n" + "".join(decisions) + used


def models(*models: str, rest: str = "") -> str:
    """A file with these models from line 3 on, named m0, m1, …"""
    lines = "".join(f"  m{index}: {model}\n" for index, model in enumerate(models))
    return f"version: 1\nmodels:\n{lines}routing: {{default_model: m0}}\n{rest}"


ERRORS = {
    "an open API": (
        ROUTING + "listeners: {api: waypost.internal:8080}",
        "f:5:18 listeners.api: waypost.internal:8080 is open to other machines: add api.tokens, or listen on 127.0.0.1",
    ),
    "a dangling model": (
        ROUTING + "  decisions: [{name: d, models: [{model: A1}]}]",
        "f:5:42 routing.decisions[0].models[0].model: unknown model 'A1' (did you mean 'a'?)",
    ),
    "a dangling default": (
        POOL + "routing: {default_model: xyz}",
        "f:3:26 routing.default_model: unknown model 'xyz' (known: a)",
    ),
    "a dangling baseline": (
        POOL + "routing: {default_model: a}\nobservability: {baseline_model: b1}",
        "f:4:33 observability.baseline_model: unknown model 'b1' (known: a)",
    ),
    "a virtual model where a real one is needed": (
        POOL + "routing: {default_model: MoM}",
        "f:3:26 routing.default_model: 'MoM' is a virtual model; name one under models: a",
    ),
    "a virtual model that is real": (
        POOL + "routing: {default_model: a, virtual_models: [MoM, a]}",
        "f:3:51 routing.virtual_models[1]: 'a' is also a model of the pool; a virtual model needs a name of its own",
    ),
    "no way to be routed": (
        POOL + "routing: {default_model: a, virtual_models: []}",
        "f:3:45 routing.virtual_models: nothing would be routed: name a virtual model, or set explicit_models: route",
    ),
    "a dangling reasoning family": (
        models("{endpoints: [{url: http://h}], reasoning_family: qwen}"),
        "f:3:56 models.m0.reasoning_family: unknown reasoning family 'qwen' (none is defined under reasoning_families)",
    ),
    "a misspelt reasoning family": (
        TWO.replace("reasoning_family: q}", "reasoning_family: Q1}").replace("{q:", "{q1:"),
        "f:3:62 models.a.reasoning_family: unknown reasoning family 'Q1' (did you mean 'q1'?)",
    ),
    "a dangling keyword": (
        when("{keyword: urgnt}"),
        "f:7:54 routing.decisions[0].when.keyword: unknown keyword 'urgnt' (did you mean 'urgent'?)",
    ),
    "a dangling keyword in a list, nested": (
        when("{not: {any: [{keyword: [urgent, xyz]}]}}"),
        "f:7:76 routing.decisions[0].when.not.any[0].keyword[1]: unknown keyword 'xyz' (known: urgent)",
    ),
    "a dangling length where none is defined": (
        ROUTING + "  decisions: [{name: d, models: [{model: a}], when: {length: long}}]",
        (
            "f:5:62 routing.decisions[0].when.length: "
            "unknown length 'long' (none is defined under routing.signals.lengths)"
        ),
    ),
    "a misspelt domain": (
        when("{domain: computer-science}"),
        "f:7:53 routing.decisions[0].when.domain: unknown domain 'computer-science' (did you mean 'computer science'?)",
    ),
    "a misspelt attack": (
        when("{jailbreak: jailbrake}"),
        "f:7:56 routing.decisions[0].when.jailbreak: unknown jailbreak 'jailbrake' (did you mean 'jailbreak'?)",
    ),
    "a misspelt type of personal data": (
        when("{pii: [PERSON, EMAIL_ADRESS]}"),
        "f:7:59 routing.decisions[0].when.pii[1]: unknown pii 'EMAIL_ADRESS' (did you mean 'EMAIL_ADDRESS'?)",
    ),
    "a domain in capitals": (
        when("{domain: MATH}"),
        "f:7:53 routing.decisions[0].when.domain: unknown domain 'MATH' (did you mean 'math'?)",
    ),
    "an invented domain": (
        when("{domain: zzz}"),
        (
            "f:7:53 routing.decisions[0].when.domain: unknown domain 'zzz' (known: biology, business, chemistry, "
            "computer science, economics, engineering, health, history, law, math, other, philosophy, physics, "
            "psychology)"
        ),
    ),
    "a country for a language": (
        when("{language: cn}"),
        "f:7:55 routing.decisions[0].when.language: unknown language 'cn' (did you mean 'zh'?)",
    ),
    "a locale for a language": (
        when("{language: zh-CN}"),
        "f:7:55 routing.decisions[0].when.language: unknown language 'zh-CN' (did you mean 'zh'?)",
    ),
    "the name of a language": (
        when("{language: English}"),
        "f:7:55 routing.decisions[0].when.language: unknown language 'English' (did you mean 'en'?)",
    ),
    "no language at all": (
        when("{language: klingon}"),
        (
            "f:7:55 routing.decisions[0].when.language: "
            "unknown language 'klingon'; write an ISO 639-1 code such as en or zh"
        ),
    ),
    "two decisions of one name": (
        ROUTING + "  decisions:\n"
        "  - {name: d, models: [{model: a}], when: {domain: law}}\n"
        "  - {name: d, models: [{model: a}]}\n",
        "f:7:12 routing.decisions[1].name: the decision 'd' is already at [0]",
    ),
    "two keywords of one name": (
        when("{keyword: urgent}").replace("keywords: [", "keywords: [{name: urgent, any: [x]}, "),
        "f:5:57 routing.signals.keywords[1].name: the keyword 'urgent' is already at [0]",
    ),
    "two lengths of one name": (
        when("{length: long}").replace("lengths: [", "lengths: [{name: long, max_tokens: 3}, "),
        "f:5:99 routing.signals.lengths[1].name: the length 'long' is already at [0]",
    ),
    "a virtual model twice": (
        POOL + "routing: {default_model: a, virtual_models: [MoM, MoM]}",
        "f:3:51 routing.virtual_models[1]: the virtual model 'MoM' is already at [0]",
    ),
    "a model twice in a decision": (
        ROUTING + "  decisions: [{name: d, models: [{model: a}, {model: a, score: 2}]}]",
        "f:5:54 routing.decisions[0].models[1].model: the model 'a' is already at [0]",
    ),
    "an empty all": (when("{all: []}"), "f:7:50 routing.decisions[0].when.all: needs at least one entry"),
    "an empty any": (when("{any: []}"), "f:7:50 routing.decisions[0].when.any: needs at least one entry"),
    "an empty list of names": (
        when("{domain: []}"),
        "f:7:53 routing.decisions[0].when.domain: needs at least one entry",
    ),
    "a range the wrong way round": (
        when("{length: long}").replace("min_tokens: 9", "min_tokens: 9, max_tokens: 8"),
        "f:5:88 routing.signals.lengths[0].min_tokens: min_tokens 9 is above max_tokens 8",
    ),
    "a length without bounds": (
        when("{length: long}").replace(", min_tokens: 9", ""),
        "f:5:63 routing.signals.lengths[0]: the length 'long' needs min_tokens or max_tokens",
    ),
    "a broken regex": (
        when("{keyword: urgent}").replace("any: [now]", "all: [ok, '(x'], regex: true"),
        "f:5:49 routing.signals.keywords[0].all[1]: invalid regular expression: missing ) at position 2",
    ),
    "a regex too deep to parse": (
        when("{keyword: urgent}").replace("any: [now]", f"any: ['{'(' * 3000}'], regex: true"),
        "f:5:45 routing.signals.keywords[0].any[0]: invalid regular expression: nested too deeply",
    ),
    "effort without reasoning": (
        TWO + "  decisions: [{name: d, models: [{model: b, effort: high}]}]",
        "f:6:53 routing.decisions[0].models[0].effort: effort needs 'reasoning: true' beside it",
    ),
    "effort with reasoning off": (
        TWO + "  decisions: [{name: d, models: [{model: b, reasoning: false, effort: high}]}]",
        "f:6:71 routing.decisions[0].models[0].effort: effort needs 'reasoning: true' beside it",
    ),
    "reasoning without a family": (
        ROUTING + "  decisions: [{name: d, models: [{model: a, reasoning: false}]}]",
        "f:5:56 routing.decisions[0].models[0].reasoning: the model 'a' has no reasoning_family to switch it with",
    ),
    "endpoints of two schemes": (
        models("{endpoints: [{url: http://h:1}, {url: https://h:2}]}"),
        (
            "f:3:45 models.m0.endpoints[1].url: "
            "all endpoints of a model share scheme and path, but the first is http://h:1"
        ),
    ),
    "endpoints of two paths": (
        models("{endpoints: [{url: http://h:1/x}, {url: http://h:2/y}]}"),
        (
            "f:3:47 models.m0.endpoints[1].url: "
            "all endpoints of a model share scheme and path, but the first is http://h:1/x"
        ),
    ),
    "an endpoint twice": (
        models("{endpoints: [{url: http://h:80}, {url: http://h/}]}"),
        "f:3:46 models.m0.endpoints[1].url: h:80 is listed twice; use weight for a larger share",
    ),
    "original_dst with a name": (
        models("{endpoints: [{url: http://h:1}]}", rest="envoy: {upstream: original_dst}"),
        (
            "f:3:26 models.m0.endpoints[0].url: "
            "envoy.upstream original_dst needs plain http to an IP address, but this has the host name h"
        ),
    ),
    "original_dst with https": (
        models("{endpoints: [{url: https://10.0.0.1}]}", rest="envoy: {upstream: original_dst}"),
        (
            "f:3:26 models.m0.endpoints[0].url: "
            "envoy.upstream original_dst needs plain http to an IP address, but this has https"
        ),
    ),
    "original_dst with a path": (
        models("{endpoints: [{url: http://10.0.0.1/x}]}", rest="envoy: {upstream: original_dst}"),
        (
            "f:3:26 models.m0.endpoints[0].url: "
            "envoy.upstream original_dst needs plain http to an IP address, but this has the path /x"
        ),
    ),
    "a key that is not set": (
        models("{endpoints: [{url: http://h}], api_key_env: OPENAI_API_KEY}"),
        "f:3:51 models.m0.api_key_env: environment variable 'OPENAI_API_KEY' is not set; it must hold the key of 'm0'",
    ),
    "a key that is empty": (
        models("{endpoints: [{url: http://h}], api_key_env: EMPTY}"),
        "f:3:51 models.m0.api_key_env: environment variable 'EMPTY' is empty; it must hold the key of 'm0'",
    ),
    "two listeners of one address": (
        ROUTING + "listeners: {api: 127.0.0.1:9000, metrics: localhost:9000}",
        "f:5:43 listeners.metrics: localhost:9000 is already taken by listeners.api",
    ),
    "a listener under a wildcard": (
        ROUTING + "listeners: {http: 0.0.0.0:8080}",
        "f:5:1 listeners.api: 127.0.0.1:8080 is already taken by listeners.http",
    ),
    "passing on what may be lost": (
        ROUTING + "envoy: {request_body: full_duplex_streamed, on_processor_failure: pass}",
        (
            "f:5:67 envoy.on_processor_failure: "
            "pass works only with request_body: buffered: a streamed body may be lost with the processor"
        ),
    ),
    "a model behind the router itself": (
        models("{endpoints: [{url: http://localhost:8801}]}"),
        (
            "f:3:26 models.m0.endpoints[0].url: "
            "localhost:8801 is listeners.http, this router itself; name the model's own server"
        ),
    ),
    "a demo server on any port": (
        ROUTING + "demo: {listen: 127.0.0.1:0}",
        "f:5:16 demo.listen: needs a fixed port: endpoints point to it",
    ),
    "a path on the demo server": (
        models("{endpoints: [{url: http://127.0.0.1:8600/v1}]}", rest="demo: {}"),
        (
            "f:3:26 models.m0.endpoints[0].url: "
            "the demo server is at http://127.0.0.1:8600, without https and without a path"
        ),
    ),
}

WARNINGS = {
    "a weight without others": (
        models("{endpoints: [{url: http://h, weight: 5}]}"),
        "f:3:44 models.m0.endpoints[0].weight: no effect: a weight is relative to other endpoints of the model",
    ),
    "effort for a switch": (
        TWO + "  decisions: [{name: d, models: [{model: a, reasoning: true, effort: low}]}]",
        "f:6:70 routing.decisions[0].models[0].effort: no effect: the reasoning family 'q' can only be on or off",
    ),
    "off for a switch": (
        TWO.replace("parameter: p", "parameter: p, off: none"),
        "f:2:73 reasoning_families.q.off: no effect: chat_template_kwargs are switched off with false",
    ),
    "an unused family": (
        ROUTING + "reasoning_families: {q: {type: chat_template_kwargs, parameter: p}}",
        "f:5:22 reasoning_families.q: no model uses the reasoning family 'q'",
    ),
    "an unused keyword": (
        ROUTING + "  signals: {keywords: [{name: k, any: [x]}]}",
        "f:5:31 routing.signals.keywords[0].name: no rule uses the keyword 'k'",
    ),
    "an unused length": (
        ROUTING + "  signals: {lengths: [{name: k, min_tokens: 5}]}",
        "f:5:30 routing.signals.lengths[0].name: no rule uses the length 'k'",
    ),
    "an unused model": (
        models("{endpoints: [{url: http://h:1}]}", "{endpoints: [{url: http://h:2}]}").replace(
            "default_model: m0", "default_model: m0, explicit_models: route"
        ),
        "f:4:3 models.m1: nothing routes to the model 'm1'",
    ),
    "health checks without Envoy": (
        models("{endpoints: [{url: http://h:1}], health_check: {}}", rest="envoy: {enabled: false}"),
        "f:3:40 models.m0.health_check: no effect: envoy.enabled is false",
    ),
    "health checks without clusters": (
        models("{endpoints: [{url: http://10.0.0.1}], health_check: {}}", rest="envoy: {upstream: original_dst}"),
        "f:3:45 models.m0.health_check: no effect: envoy.upstream is original_dst",
    ),
    "an open ExtProc": (
        ROUTING + "listeners: {extproc: 0.0.0.0:50051}",
        (
            "f:5:22 listeners.extproc: 0.0.0.0:50051 is open to other machines: "
            "whoever reaches it can read the routing of any prompt"
        ),
    ),
    "a demo server for nobody": (
        ROUTING + "demo: {}",
        "f:5:1 demo: no model has the endpoint http://127.0.0.1:8600",
    ),
}


@pytest.mark.parametrize("text, expected", ERRORS.values(), ids=ERRORS)
def test_error(complaints, text: str, expected: str):
    assert complaints(text, {"EMPTY": ""}) == [expected]


@pytest.mark.parametrize("text, expected", WARNINGS.values(), ids=WARNINGS)
def test_warning(complaints, text: str, expected: str):
    assert complaints(text) == [f"warning: {expected}"]


FINE = {
    "port 0 twice": ROUTING
    + "listeners: {http: 127.0.0.1:0, extproc: 127.0.0.1:0, api: '[::1]:0', metrics: 127.0.0.1:0}",
    "one port on two addresses": ROUTING + "listeners: {http: 10.0.0.1:8080, api: 127.0.0.1:8080}",
    "a public HTTP listener": ROUTING + "listeners: {http: 0.0.0.0:8801, metrics: 0.0.0.0:9190}",
    "IPv6 for original_dst": models("{endpoints: [{url: 'http://[::1]:1'}]}", rest="envoy: {upstream: original_dst}"),
    "endpoints of several hosts": models("{endpoints: [{url: http://a:1/x, weight: 2}, {url: http://b:1/x/}]}"),
    "a key that is set": models("{endpoints: [{url: https://h}], api_key_env: KEY}"),
    "every signal": when("{all: [{domain: [math, law]}, {language: zh}, {not: {keyword: urgent}}, {length: long}]}"),
    "effort for an effort": TWO + "  decisions: [{name: d, models: [{model: b, reasoning: true, effort: high}]}]",
    "no virtual models when all are routed": POOL
    + "routing: {default_model: a, virtual_models: [], explicit_models: route}",
    "a keyword and a length of one name": when("{keyword: urgent}")
    .replace("name: long", "name: urgent")
    .replace("length: long", "length: urgent"),
}


@pytest.mark.parametrize("text", FINE.values(), ids=FINE)
def test_fine(complaints, text: str):
    assert complaints(text, {"KEY": "k"}) == []


@pytest.mark.parametrize(
    "rules, loser, winner",
    [
        (["", "{domain: law}"], 1, 0),
        (["", ""], 1, 0),
        (["{domain: law}", "{domain: law}"], 1, 0),
        (["{domain: [law, math]}", "{any: [{domain: math}, {domain: law}]}"], 1, 0),
        (["{domain: [law, math]}", "{domain: math}"], 1, 0),
        (["{domain: law}", "{all: [{domain: law}, {language: zh}]}"], 1, 0),
        (["{any: [{domain: law}, {language: zh}]}", "{all: [{language: zh}, {not: {domain: math}}]}"], 1, 0),
        (["{not: {domain: law}}", "{all: [{not: {any: [{domain: law}]}}, {language: zh}]}"], 1, 0),
        (["{all: [{domain: law}, {language: zh}]}", "{domain: law}"], None, None),
        (["{domain: math}", "{domain: [law, math]}"], None, None),
        (["{not: {domain: law}}", "{domain: law}"], None, None),
        (["{language: zh}", "{domain: law}", "{domain: math}"], None, None),
    ],
)
def test_a_decision_that_an_earlier_one_covers_can_never_win(complaints, rules, loser, winner):
    text = when(*rules).replace("priority: -1", "priority: 1")
    expected = []
    if loser is not None:
        message = f"the decision 'd{loser}' can never win: 'd{winner}' comes first and holds whenever it does"
        expected = [f"f:{7 + loser}:5 routing.decisions[{loser}]: {message}"]
    assert complaints(text) == expected


def test_priority_decides_who_comes_first(complaints):
    text = (
        when("{domain: law}", "").replace("name: d1,", "name: d1, priority: 9,").replace("priority: -1", "priority: 10")
    )
    assert complaints(text) == [
        "f:7:5 routing.decisions[0]: the decision 'd0' can never win: 'd1' comes first and holds whenever it does"
    ]


def test_errors_of_several_checks_come_in_the_order_of_the_file_and_hide_warnings(complaints):
    text = when("{keyword: urgnt}", "{domain: maths}") + "demo: {}\n"
    assert complaints(text) == [
        "f:7:54 routing.decisions[0].when.keyword: unknown keyword 'urgnt' (did you mean 'urgent'?)",
        "f:8:53 routing.decisions[1].when.domain: unknown domain 'maths' (did you mean 'math'?)",
    ]
