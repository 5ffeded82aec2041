import { describe, expect, it } from 'vitest';
import { parsePythonJson } from './python-json.ts';
import { TemplateProgram } from './template-program.ts';

const rendered = (template: string, variables: Record<string, unknown> = {}) =>
  new TemplateProgram(template).render(variables, new Date(0));

describe('TemplateProgram', () => {
  // The right sides are what Jinja2 3.1 with transformers' settings writes.
  it.each([
    ["{{ '\\n a \\n'.strip('\\n') }}|{{ ' xa'.lstrip(' x') }}|{{ 'ab..'.rstrip('.') }}", ' a |a|ab'],
    ["{{ '\ufeff a\x1c\x85' | trim }}|", '\ufeff a|'],
    ['{{ true }} {{ none }} {{ missing }} {{ 1.0 }} {{ 3 / 2 }} {{ 7 // 2 }}', 'True None  1.0 1.5 3'],
    [
      '{{ {"a": [1, none, "it\'s", true]} }} {{ ["q\\"\'", "\u200b\\n"] }}',
      "{'a': [1, None, \"it's\", True]} ['q\"\\'', '\\u200b\\n']",
    ],
    ['{{ "x" ~ true ~ none ~ 1 ~ missing }}', 'xTrueNone1'],
    [
      '{{ none == missing }} {{ 1 == "1" }} {{ 1 == 1.0 }} {{ [1, [2]] == [1, [2]] }}',
      'False False True True',
    ],
    ['{{ none != missing }} {{ {"a": 1} != {"a": 1} }}', 'True False'],
    ['{{ {"a": "<é>\\n", "b": [1, 2]} | tojson }}', '{"a": "<é>\\n", "b": [1, 2]}'],
    ['{{ {"a": [1], "b": {}} | tojson(indent=2) }}', '{\n  "a": [\n    1\n  ],\n  "b": {}\n}'],
    ['{{ {"b": 1.0, "a": "é"} | tojson(ensure_ascii=true, sort_keys=true) }}', '{"a": "\\u00e9", "b": 1.0}'],
    ['{{ [1, {"a": 2}] | tojson(separators=(",", ":")) }} {{ [] | tojson(indent=4) }}', '[1,{"a":2}] []'],
    ['{{ "aBC" | capitalize }} {{ "aBC".capitalize() }} {{ [1] | string }}', 'Abc Abc [1]'],
    ['{% for i in [1, 2] %}{% if i == 1 %}{% set x = i %}{% endif %}{{ x }}{% endfor %}', '1'],
    [
      '{% set x = 9 %}{% for i in [1, 2] %}{% if i == 1 %}{% set x = i %}{% endif %}{{ x }}{% endfor %}{{ x }}',
      '199',
    ],
    ['{% for x in [1, 2] %}{% set x = x + 1 %}{{ x }}{% endfor %}', '23'],
    [
      '{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}',
      '02',
    ],
    [
      '{% set n = namespace(k=1) %}{% for i in range(2, 0, -1) %}{% set n.k = n.k + i %}{% endfor %}{{ n.k }}',
      '4',
    ],
    ['a\n  {% generation %}\n b {%- endgeneration %}\nc', 'a\n bc'],
    ['{{ [1] + [{"a": none}] }}', "[1, {'a': None}]"],
    ['{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m("x") }}', 'x2'],
    ['  {% if true %}\nx\n  {% endif %}\ny\n', 'x\ny'],
    [
      '{{ missing | length }}{% for x in missing %}x{% else %}none{% endfor %}{{ none | selectattr("a") | list }}',
      '0none[]',
    ],
    ['{{ "{}-{1}-{{}}".format(1, "b") }}', '1-b-{}'],
  ])('%s', (template, expected) => {
    expect(rendered(template)).toBe(expected);
  });

  it('writes numbers as Python does', () => {
    const numbers = [0.1, 1e-7, 1.5e-5, 0.0001, 1e16, 1.25e22, 123456.789, -2.5];
    expect(numbers.map((n) => rendered('{{ n }}', { n }))).toEqual([
      '0.1',
      '1e-07',
      '1.5e-05',
      '0.0001',
      '10000000000000000',
      '1.25e+22',
      '123456.789',
      '-2.5',
    ]);
  });

  it('keeps which numbers of JSON are floats', () => {
    const given = parsePythonJson('{"a": 1.0, "b": [2, 3e2, -0.0], "c": {"d": "4.0", "e": 0.10}, "f": 1e-7}');
    const expected = '{"a": 1.0, "b": [2, 300.0, -0.0], "c": {"d": "4.0", "e": 0.1}, "f": 1e-07}';
    expect(rendered('{{ x | tojson }}', { x: given })).toBe(expected);
    expect(rendered('{{ x.a }} {{ x.a is number }} {{ x.a == 1 }}', { x: given })).toBe('1.0 True True');
    expect(() => rendered('{{ x.a + 1 }}', { x: given })).toThrow('it adds floats to 2.0');
    expect(() => parsePythonJson('[12345678901234567890]')).toThrow('the number 12345678901234567890');
    expect(() => rendered('{{ missing | tojson }}')).toThrow('a UndefinedValue cannot be written as JSON');
  });

  it("does not guess what Python makes of | safe in sums, and of format's other places", () => {
    expect(() => rendered('{{ "<" | safe + "a" }}')).toThrow("what '| safe' gives");
    expect(() => rendered('{{ "{a}".format(1) }}')).toThrow('it formats by "{a}"');
  });

  it('adds nothing to a string that is none', () => {
    expect(() => rendered('{{ "a" + 1 }}')).toThrow('it adds a StringValue and a IntegerValue');
  });
});
