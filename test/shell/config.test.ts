/** The configuration: its defaults, its bounds on both sides, and how a refusal is worded. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultActions, defaultPolicy } from '../../src/judge/policy.js';
import { loadConfig, parseConfig } from '../../src/shell/config.js';
import { nearest } from '../../src/shell/config-issue.js';
import { OperatorError } from '../../src/shell/errors.js';
import { termsFrom } from '../../src/shell/terms.js';

/** The sentences of a refusal, one per line. */
function refusalOf(text: string): string[] {
	try {
		parseConfig(text, 'x.yaml');
	} catch (error) {
		assert.ok(error instanceof OperatorError, String(error));
		assert.equal(error.kind, 'usage');
		return error.message.split('\n');
	}
	return assert.fail(`accepted: ${text}`);
}

test('an empty file is a safe configuration: mode observe, the policy of the judge', () => {
	assert.deepEqual(parseConfig('', 'x.yaml'), {
		mode: 'observe',
		attach: 'auto',
		attempts: 'auto',
		probe: { method: 'auto' },
		actions: defaultActions,
		services: {},
		interfaces: [],
		runtimeDirectory: '/run/ipvigil',
		journalDirectory: '/var/lib/ipvigil/journal',
		journal: { segmentBytes: 16_777_216, segments: 8 },
		pinDirectory: '/sys/fs/bpf/ipvigil',
		snapshotIntervalMs: 2_000,
		linkIntervalMs: 10_000,
		limits: { destinations: 32_768, hosts: 16_384, connections: 65_536, ringBytes: 4_194_304 },
		metrics: { listen: '127.0.0.1:9478' },
		log: { level: 'info' },
		monitors: {},
		policy: defaultPolicy,
	});
});

test('every key may be given', () => {
	const text = [
		'mode: assist',
		'attach: xdp-generic',
		'interfaces: [eth1, bond0.12]',
		'runtimeDirectory: /run/other',
		'journalDirectory: /srv/journal',
		'journal: { segmentBytes: 65536, segments: 2 }',
		'pinDirectory: /sys/fs/bpf/other',
		'snapshotIntervalMs: 100',
		'linkIntervalMs: 1000',
		'limits: { destinations: 1, hosts: 1, connections: 1024, ringBytes: 65536 }',
		'metrics: { listen: "[::1]:9999" }',
		'log: { level: debug }',
		'table: { rules: /etc/ipvsadm.rules }',
		'monitors:',
		'  keepalived: { trackDirectory: /run/track }',
		'  exec: { command: [/usr/bin/logger, -t, ipvigil], timeoutMs: 1 }',
		'policy: { windowMs: 5000, leaseJitter: 0.5 }',
	].join('\n');
	const config = parseConfig(text, 'x.yaml');
	assert.equal(config.mode, 'assist');
	assert.equal(config.attach, 'xdp-generic');
	assert.deepEqual(config.interfaces, ['eth1', 'bond0.12']);
	assert.deepEqual(config.journal, { segmentBytes: 65_536, segments: 2 });
	assert.deepEqual(config.table, { rules: '/etc/ipvsadm.rules' });
	assert.deepEqual(config.monitors, {
		keepalived: { trackDirectory: '/run/track' },
		exec: { command: ['/usr/bin/logger', '-t', 'ipvigil'], timeoutMs: 1 },
	});
	assert.deepEqual(config.policy, { ...defaultPolicy, windowMs: 5_000, leaseJitter: 0.5 });
	assert.deepEqual(config.metrics, { listen: '[::1]:9999' });
});

test('metrics can be turned off', () => {
	assert.equal(parseConfig('metrics: off', 'x.yaml').metrics, 'off');
});

test('an unknown key is refused with its line and the nearest known key, in sections too', () => {
	assert.deepEqual(refusalOf('mode: observe\nintefaces: []'), [
		'x.yaml:2: intefaces: unknown key, did you mean interfaces?',
	]);
	assert.deepEqual(refusalOf('journal:\n  segmnts: 3'), [
		'x.yaml:2: journal.segmnts: unknown key, did you mean segments?',
	]);
	assert.deepEqual(refusalOf('monitors:\n  keepalvd: {}'), [
		'x.yaml:2: monitors.keepalvd: unknown key, did you mean keepalived?',
	]);
	assert.match(refusalOf('policy: { leaseMS: 5 }')[0] ?? '', /policy\.leaseMS: unknown key, did you mean leaseMs\?$/);
});

test('a key that resembles none is answered with all that are known', () => {
	assert.deepEqual(refusalOf('log: { colour: red }'), ['x.yaml:1: log.colour: unknown key, known here: level']);
});

test('the nearest key may be wrong in a third of its letters, not more', () => {
	assert.equal(nearest('abcdef', ['abcdxy']), 'abcdxy');
	assert.equal(nearest('abcdef', ['abcxyz']), undefined);
	assert.equal(nearest('x', ['y']), 'y');
	assert.equal(nearest('x', []), undefined);
});

test('a wrong value is refused with what was found and what is allowed', () => {
	assert.deepEqual(refusalOf('mode: asist'), [
		'x.yaml:1: mode: found "asist", allowed is one of observe, notify, assist',
	]);
	assert.deepEqual(refusalOf('\n\nattach:'), [
		'x.yaml:3: attach: found null, allowed is one of auto, tc, xdp, xdp-generic, none',
	]);
	assert.deepEqual(refusalOf('interfaces: [eth0, "a b"]'), [
		'x.yaml:1: interfaces[1]: found "a b", allowed is the name of an interface (1 to 15 characters, no slash, colon or blank)',
	]);
	assert.deepEqual(refusalOf('runtimeDirectory: run/x'), [
		'x.yaml:1: runtimeDirectory: found "run/x", allowed is an absolute path',
	]);
	assert.deepEqual(refusalOf('metrics: on'), [
		'x.yaml:1: metrics: found "on", allowed is off, or a section with listen',
	]);
	assert.deepEqual(refusalOf('monitors:\n  exec: { command: [] }'), [
		'x.yaml:2: monitors.exec.command: found [], allowed is a list: the absolute path of a program, then its arguments',
	]);
	assert.deepEqual(refusalOf('- a'), [
		'x.yaml:1: the whole file: found ["a"], allowed is a section with the keys of the configuration',
	]);
});

test('a service without a port of its own may be given one, under any spelling of its name', () => {
	const ports = (text: string) => parseConfig(`services: { ${text} }`, 'x.yaml').services;
	assert.deepEqual(ports('"fwmark 7": { port: tcp 80 }'), { 'fwmark 7': { port: { protocol: 'tcp', port: 80 } } });
	assert.deepEqual(Object.keys(ports('"tcp [FD00:0::1]:0": { port: tcp 65535 }')), ['tcp [fd00::1]:0']);
	for (const bad of [
		'"fwmark 7": { port: tcp 0 }',
		'"fwmark 7": { port: tcp 65536 }',
		'"fwmark 7": { port: sctp 80 }',
		'seven: { port: tcp 80 }',
		'"tcp 10.0.0.1:80": { port: tcp 80 }',
	])
		assert.equal(refusalOf(`services: { ${bad} }`).length, 1, bad);
});

test('a service has terms of its own, and what it leaves out is as for all', () => {
	const text = [
		'mode: notify',
		'policy: { leaseMs: 1000, windowMs: 3000 }',
		'actions: { outlier: observe }',
		'services:',
		'  "tcp 10.0.0.1:80": { mode: assist, policy: { leaseMs: 2000 }, actions: { refusal: reduce } }',
	];
	const terms = termsFrom(parseConfig(text.join('\n'), 'x.yaml'));
	const own = terms.named.get('tcp 10.0.0.1:80');
	assert.deepEqual([terms.others.mode, own?.mode], ['notify', 'assist']);
	assert.deepEqual([terms.others.policy.leaseMs, own?.policy.leaseMs, own?.policy.windowMs], [1_000, 2_000, 3_000]);
	assert.deepEqual(
		[own?.actions.refusal, own?.actions.outlier, terms.others.actions.refusal],
		['reduce', 'observe', 'quiesce'],
	);
});

test('the order of two limits holds for what a service sets and leaves out together', () => {
	const [told = ''] = refusalOf('services: { "tcp 10.0.0.1:80": { policy: { leaseMs: 400000 } } }');
	assert.match(told, /services\.tcp 10\.0\.0\.1:80\.policy\.leaseMs: found 400000, allowed is at most leaseCapMs/);
	assert.match(refusalOf('services: { "tcp 10.0.0.1:80": { policy: { wayGraceMs: 1 } } }')[0] ?? '', /unknown key/);
});

test('a service stands once, however it is spelt, and is not written where the table is a file', () => {
	const [twice = ''] = refusalOf('services:\n  "tcp [fd00::1]:80": {}\n  "tcp [FD00:0::1]:80": {}');
	assert.match(twice, /^x\.yaml:3: services.*each service once: this is tcp \[fd00::1\]:80 again/);
	const [written = ''] = refusalOf('table: { rules: /r }\nservices: { "tcp 10.0.0.1:80": { mode: assist } }');
	assert.match(written, /services.*mode: found "assist", allowed is observe or notify/);
});

test('one client is never enough, and no more can be asked for than is remembered', () => {
	for (const key of ['clientPrefixesMin', 'verifiedRefusalsMin'])
		for (const value of [1, 65]) assert.equal(refusalOf(`policy: { ${key}: ${value} }`).length, 1, `${key} ${value}`);
});

test('more than telling of a brown-out takes a probe that wants an answer', () => {
	const acting = 'actions: { brown-out: quiesce }';
	assert.deepEqual(refusalOf(acting), [
		'x.yaml:1: actions.brown-out: found "quiesce", allowed is observe, because only a probe with a request can tell whether it is over',
	]);
	const asked = parseConfig(`${acting}\nprobe: { request: "GET / HTTP/1.0\\r\\n\\r\\n" }`, 'x.yaml');
	assert.equal(asked.actions['brown-out'], 'quiesce');
	assert.equal(refusalOf(`services: { "tcp 10.0.0.1:80": { ${acting} } }`).length, 1);
	const plain = 'services: { "tcp 10.0.0.1:80": { probe: {} } }';
	assert.equal(refusalOf(`${acting}\nprobe: { request: a }\n${plain}`).length, 1, 'its own probe wants no answer');
});

test('every mistake is told at once', () => {
	assert.equal(refusalOf('mode: x\nattach: y\nfoo: z').length, 3);
});

test('numbers are bounded on both sides', () => {
	for (const good of ['100', '3600000']) parseConfig(`snapshotIntervalMs: ${good}`, 'x.yaml');
	for (const bad of ['99', '3600001', '2.5', '-1', '"100"'])
		assert.equal(refusalOf(`snapshotIntervalMs: ${bad}`).length, 1);
	for (const good of ['65536', '67108864']) parseConfig(`limits: { ringBytes: ${good} }`, 'x.yaml');
	for (const bad of ['32768', '65537', '134217728', '4096.5'])
		assert.equal(refusalOf(`limits: { ringBytes: ${bad} }`).length, 1, bad);
	for (const good of ['1.2.3.4:0', '1.2.3.4:65535', 'localhost:1'])
		parseConfig(`metrics: { listen: "${good}" }`, 'x.yaml');
	for (const bad of ['1.2.3.4:65536', '1.2.3.4', '::1:80', ':80'])
		assert.equal(refusalOf(`metrics: { listen: "${bad}" }`).length, 1);
});

test('times of the policy are whole and positive, shares lie between 0 and 1', () => {
	for (const good of ['windowMs: 1', 'leaseJitter: 0', 'leaseJitter: 1']) parseConfig(`policy: { ${good} }`, 'x.yaml');
	for (const bad of ['windowMs: 0', 'windowMs: 1.5', 'leaseJitter: 1.01', 'leaseJitter: -0.1']) {
		assert.equal(refusalOf(`policy: { ${bad} }`).length, 1, bad);
	}
});

test('limits that contradict each other are refused, equal ones are not', () => {
	const cap = defaultPolicy.leaseCapMs;
	assert.equal(parseConfig(`policy: { leaseMs: ${cap} }`, 'x.yaml').policy.leaseMs, cap);
	assert.match(
		refusalOf(`policy: { leaseMs: ${cap + 1} }`)[0] ?? '',
		/^x\.yaml:1: policy\.leaseMs: .*at most leaseCapMs/,
	);
});

test('what is not YAML, or says a thing twice, is refused with its line', () => {
	assert.match(refusalOf('mode: observe\nx: [')[0] ?? '', /^x\.yaml:2: not YAML: /);
	assert.match(refusalOf('mode: observe\nmode: notify')[0] ?? '', /^x\.yaml:2: not YAML: Map keys must be unique/);
});

test('a file that is named must be readable; the default one need not exist', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const file = join(folder, 'a.yaml');
	assert.throws(() => loadConfig(file), { kind: 'usage', message: /a\.yaml cannot be read: ENOENT/ });
	writeFileSync(file, 'mode: notify\n');
	assert.equal(loadConfig(file).mode, 'notify');
	writeFileSync(file, 'mode: x\n');
	assert.throws(() => loadConfig(file), { message: /^.*a\.yaml:1: mode: / });
});
