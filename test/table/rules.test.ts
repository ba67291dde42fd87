/**
 * The rules format against what ipvsadm itself saved (the fixture), against its manual, and against broken files.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Destination, Service } from '../../src/table/model.js';
import { parseRules, printRules, ruleArguments, serviceArguments } from '../../src/table/rules.js';
import { services } from './arbitrary.js';

const saved = readFileSync(new URL('../../../test/fixtures/netlink/ipvs-table.rules', import.meta.url), 'utf8');

function parse(text: string): Service[] {
	const result = parseRules(text);
	assert.ok(result.ok, result.ok ? '' : `line ${result.line}: ${result.found}`);
	return result.snapshot.services;
}

function onlyDestination(text: string): Destination {
	const destination = parse(`-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 ${text}`)[0]?.destinations[0];
	assert.ok(destination);
	return destination;
}

test('what ipvsadm -S -n saved is printed again octet for octet', () => {
	assert.equal(printRules({ services: parse(saved) }), saved);
});

test('a rule has every attribute that ipvsadm can give', () => {
	const [service] = parse('-A -t 10.0.0.1:0 -s sh -p 300 -M 255.255.255.0 --pe sip -o -b sh-fallback,sh-port,flag-3');
	assert.deepEqual(service?.address, {
		kind: 'address',
		protocol: 'tcp',
		family: 'inet',
		address: '10.0.0.1',
		port: 0,
	});
	assert.equal(service?.scheduler, 'sh');
	assert.equal(service?.flags, 1 | 4 | 8 | 16 | 32);
	assert.equal(service?.persistenceSeconds, 300);
	assert.equal(service?.netmask, '255.255.255.0');
	assert.equal(service?.persistenceEngine, 'sip');
	const server = onlyDestination('-r 10.1.0.1:81 -i -w 3 -x 100 -y 80 --tun-type gue --tun-port 6080 --tun-remcsum');
	const { forwarding, weight, upperThreshold, lowerThreshold, tunnel } = server;
	assert.deepEqual([forwarding, weight, upperThreshold, lowerThreshold], ['tunnel', 3, 100, 80]);
	assert.deepEqual(tunnel, { type: 'gue', port: 6080, flags: 2 });
});

test('what is left out has the defaults of ipvsadm(8): wlc, 300 seconds, direct routing, weight 1, the port of the service', () => {
	const [service] = parse('-A -t 10.0.0.1:80 -p');
	assert.deepEqual(
		[service?.scheduler, service?.persistenceSeconds, service?.netmask],
		['wlc', 300, '255.255.255.255'],
	);
	const { forwarding, weight, port, tunnel } = onlyDestination('-r 10.1.0.1');
	assert.deepEqual([forwarding, weight, port, tunnel.type], ['droute', 1, 80, 'ipip']);
	assert.equal(parse('-A -f 7\n-a -f 7 -r 10.1.0.1')[0]?.destinations[0]?.port, 0);
});

test('long options, bundles and values without a space mean the same', () => {
	const short = parse('-A -t 10.0.0.1:80 -s rr\n-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 4');
	const long =
		'--add-service --tcp-service 10.0.0.1:80 --scheduler=rr\n--add-server --tcp-service=10.0.0.1:80 --real-server 10.1.0.1:80 --masquerading --weight=4';
	assert.deepEqual(parse(long), short);
	assert.deepEqual(parse('ipvsadm -At 10.0.0.1:80 -srr\n-at 10.0.0.1:80 -r10.1.0.1:80 -mw4'), short);
});

test('comments and blank lines say nothing, and an empty file is an empty table', () => {
	assert.deepEqual(parse('# ipvsadm.rules\n\n  \n'), []);
	assert.equal(printRules({ services: [] }), '');
});

test('a wrong line names itself, what stands there and what was expected', () => {
	const before = '# a comment\n-A -t 10.0.0.1:80\n';
	const cases: [string, RegExp, RegExp][] = [
		['-A -t www.example.com:http', /www\.example\.com/, /ipvsadm -S -n/],
		['-a -t 10.0.0.2:80 -r 10.1.0.1:80', /tcp 10\.0\.0\.2:80/, /service above it/],
		['-A -t 10.0.0.1:80', /second time/, /once/],
		['-a -t 10.0.0.1:80', /no -r/, /-r/],
		['-a -t 10.0.0.1:80 -r 10.1.0.1:80 -w 2147483648', /2147483648/, /from 0 to 2147483647/],
		['-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -g', /gatewaying and --masquerading/, /one of/],
		['-a -t 10.0.0.1:80 -r 10.1.0.1:65536', /65536/, /address and port/],
		['-a -t 10.0.0.1:80 -r 10.1.0.1 -s rr', /--scheduler/, /real server/],
		['-A -t 10.0.0.2:80 -w 1', /--weight/, /service/],
		['-E -t 10.0.0.1:80', /-E/, /option/],
		['-A -t 10.0.0.2:80 --frob', /--frob/, /option/],
		['-A -t 10.0.0.2:80 -s', /--scheduler at the end/, /value/],
		['-A -t 10.0.0.2:80 -t 10.0.0.3:80', /twice/, /once/],
		['-A -t 10.0.0.2:80 -u 10.0.0.3:80', /2 services/, /one of/],
		['-A -f 0', /"0"/, /from 1 to 4294967295/],
		['-A -t 10.0.0.2:80 -b wrong', /wrong/, /sh-fallback/],
		['-A -t 10.0.0.2:80 -b toString', /toString/, /sh-fallback/],
		['-A -t [fd00::1]:80 -p 9 -M 129', /129/, /prefix length/],
		['-A -t 10.0.0.2:80 -p 2678401', /2678401/, /to 2678400/],
		['-t 10.0.0.2:80', /neither/, /exactly one/],
		['rubbish', /rubbish/, /option/],
		['x'.repeat(2000), /2000 characters/, /rule/],
	];
	for (const [line, found, expected] of cases) {
		const result = parseRules(before + line);
		assert.ok(!result.ok, line);
		assert.equal(result.line, 3, line);
		assert.match(result.found, found);
		assert.match(result.expected, expected);
	}
});

test('the limits themselves are allowed', () => {
	assert.equal(onlyDestination('-r 10.1.0.1:65535 -w 2147483647').weight, 2147483647);
	assert.equal(parse('-A -t 10.0.0.2:80 -p 2678400')[0]?.persistenceSeconds, 2678400);
	assert.equal(parse('-A -f 4294967295')[0]?.address.kind, 'fwmark');
});

test('rule arguments restore a destination with thresholds and tunnel', () => {
	const [service] = parse(
		'-A -f 7 -6\n-a -f 7 -6 -r [fd00::1]:0 -i -w 5 -x 9 -y 3 --tun-type gue --tun-port 6080 --tun-csum',
	);
	assert.ok(service?.destinations[0]);
	assert.deepEqual(serviceArguments(service.address), ['-f', '7', '-6']);
	const expected = '-f 7 -6 -r [fd00::1]:0 -i -w 5 -x 9 -y 3 --tun-type gue --tun-port 6080 --tun-csum';
	assert.equal(ruleArguments(service.address, service.destinations[0]).join(' '), expected);
});

test('printing and parsing any table gives that table', () => {
	fc.assert(fc.property(services, (table) => assert.deepEqual(parse(printRules({ services: table })), table)));
});

test('no text whatever makes the parser throw', () => {
	const words = fc.constantFrom(
		'-A',
		'-a',
		'-t',
		'10.0.0.1:80',
		'-r',
		'10.1.0.1',
		'-w',
		'--',
		'-',
		'-p',
		'--pe=',
		'\n',
		'-f',
		'7',
		'[',
		'-b',
	);
	fc.assert(fc.property(fc.array(words), (line) => void parseRules(line.join(' '))));
	fc.assert(fc.property(fc.string(), (text) => void parseRules(text)));
});
