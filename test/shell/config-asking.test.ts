/** The section `probe` of a service: what it may say, and how a refusal is worded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineCounter, parseDocument } from 'yaml';
import type { Asking } from '../../src/judge/asking.js';
import { asking } from '../../src/shell/config-asking.js';
import { describeIssues } from '../../src/shell/config-issue.js';

/** The section, or the sentences that refuse it. */
function read(text: string): Asking | string[] {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines });
	const result = asking.safeParse(document.toJS() ?? {}, { reportInput: true });
	if (result.success) return result.data;
	return describeIssues(result.error.issues, { name: 'x.yaml', document, lines, schema: asking });
}

test('an empty section asks as where there is none', () => {
	assert.deepEqual(read(''), { method: 'auto' });
});

test('every key may be given, and addresses have one spelling', () => {
	const text = [
		'method: udp',
		'address: FD00:0::11',
		'port: 5353',
		'sourceAddress: "fd00::0001"',
		'mark: 0x10',
		'request: "\\x00\\xff\\r\\n"',
		'expect: "220 "',
	].join('\n');
	assert.deepEqual(read(text), {
		method: 'udp',
		address: 'fd00::11',
		port: 5_353,
		sourceAddress: 'fd00::1',
		mark: 16,
		request: '\x00\xff\r\n',
		expect: '220 ',
	});
	const command = ['/usr/local/bin/check', '--fast'];
	assert.deepEqual(read('method: command\ncommand: [/usr/local/bin/check, --fast]'), { method: 'command', command });
});

test('numbers and texts hold within their bounds, and not beyond', () => {
	assert.deepEqual(read('port: 1\nmark: 1'), { method: 'auto', port: 1, mark: 1 });
	assert.deepEqual(read('port: 65535\nmark: 4294967295'), { method: 'auto', port: 65_535, mark: 4_294_967_295 });
	for (const port of ['0', '65536', '1.5', '"80"'])
		assert.deepEqual(read(`port: ${port}`), [`x.yaml:1: port: found ${port}, allowed is a port from 1 to 65535`]);
	for (const mark of ['0', '4294967296'])
		assert.deepEqual(read(`mark: ${mark}`), [
			`x.yaml:1: mark: found ${mark}, allowed is a firewall mark from 1 to 4294967295`,
		]);
	const longest = 'x'.repeat(512);
	assert.deepEqual(read(`request: ${longest}`), { method: 'auto', request: longest });
	for (const key of ['request', 'expect'])
		for (const value of [`${longest}x`, '""', '"\\u0100"', '7'])
			assert.match(String(read(`${key}: ${value}`)), /allowed is a text of 1 to 512 octets, characters up to "\\xff"$/);
});

test('an address is numbers, not a name', () => {
	for (const key of ['address', 'sourceAddress'])
		for (const value of ['web1', '10.0.0.256', 'fe80::1%eth0', '7'])
			assert.match(String(read(`${key}: ${value}`)), /found .*, allowed is an IPv4 or IPv6 address$/);
});

test('a command and the method that runs it come together, and nothing else with them', () => {
	assert.deepEqual(read('method: command'), [
		'x.yaml:1: command: found nothing, allowed is a list: the absolute path of a program, then its arguments, because method is command',
	]);
	assert.deepEqual(read('command: [/bin/true]'), [
		'x.yaml:1: command: found ["/bin/true"], allowed is nothing, because method is auto',
	]);
	assert.match(String(read('method: command\ncommand: [check]')), /allowed is a list: the absolute path/);
	const others = ['address: 10.0.0.1', 'port: 80', 'sourceAddress: 10.0.0.2', 'mark: 1', 'request: a', 'expect: b'];
	for (const other of others) {
		const key = other.split(':')[0];
		const [sentence = ''] = read(`method: command\ncommand: [/bin/true]\n${other}`) as string[];
		assert.match(sentence, new RegExp(`^x.yaml:3: ${key}: found .*, allowed is nothing, because a command asks`));
	}
});

test('both addresses are of one family', () => {
	assert.deepEqual(read('address: 10.0.0.1\nsourceAddress: fd00::1'), [
		'x.yaml:2: sourceAddress: found "fd00::1", allowed is an address of the family of 10.0.0.1, which is asked',
	]);
});

test('an unknown method and an unknown key are refused with those that are known', () => {
	assert.deepEqual(read('method: http'), [
		'x.yaml:1: method: found "http", allowed is one of auto, connect, udp, command',
	]);
	assert.deepEqual(read('reqest: x'), ['x.yaml:1: reqest: unknown key, did you mean request?']);
	assert.match(String(read('[]')), /allowed is a section with method, address, port/);
});
