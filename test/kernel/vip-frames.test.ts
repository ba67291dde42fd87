/**
 * What tshark, which shares nothing with us, makes of the VIP probe's frames: the layers that are meant, and every checksum
 * right. Needs tshark.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { writeNeighbourQuestion } from '../../src/remedy/vip-neighbour.js';
import { tunnelFlags } from '../../src/table/model.js';
import { inet, inet6, tunnelled } from '../remedy/vip-samples.js';
import { sentBy } from '../remedy/vip-sent.js';
import { captureFile, gueScript } from './oracle.js';

const timeoutMs = 30_000;

/** tshark's words for a checksum; "unverified" would be ours, by a preference that it does not know. */
const status: Record<string, string> = { 0: 'bad', 1: 'good', 2: 'unverified', 3: 'none', 4: 'illegal' };
const fields = ['ip', 'tcp', 'udp', 'icmpv6', 'gre'];

/** For each frame its layers, and what is said of the checksums that it has. */
function read(frames: readonly Uint8Array[]): string[] {
	const directory = mkdtempSync(join(tmpdir(), 'ipvigil-vip-'));
	try {
		const path = join(directory, 'frames.pcap');
		writeFileSync(path, captureFile(frames));
		const checked = ['ip', 'tcp', 'udp'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
		const shown = ['frame.protocols', ...fields.map((name) => `${name}.checksum.status`)].flatMap((name) => [
			'-e',
			name,
		]);
		const argv = ['-n', '-X', `lua_script:${gueScript}`, '-r', path, ...checked, '-T', 'fields', ...shown];
		const lines = execFileSync('tshark', argv, { encoding: 'utf8', timeout: timeoutMs, stdio: 'pipe' });
		return lines.trimEnd().split('\n').map(sentence);
	} finally {
		rmSync(directory, { recursive: true });
	}
}

function sentence(line: string): string {
	const [layers, ...numbers] = line.split('\t');
	const words = numbers.flatMap((text, index) =>
		text === '' ? [] : [`${fields[index]} ${text.split(',').map((number) => status[number])}`],
	);
	return [layers?.replace('eth:ethertype:', ''), ...words].join(', ');
}

it('tshark reads every frame as it is meant', { timeout: timeoutMs }, () => {
	const gue = { type: 'gue', port: 6080 } as const;
	const frames: [Uint8Array, string][] = [
		[writeNeighbourQuestion(inet.way, '10.1.0.11'), 'arp'],
		[writeNeighbourQuestion(inet6.way, 'fd00:1::11'), 'ipv6:icmpv6, icmpv6 good'],
		[sentBy(inet).syn, 'ip:tcp, ip good, tcp good'],
		[sentBy(inet).rst, 'ip:tcp, ip good, tcp good'],
		[sentBy(inet6).syn, 'ipv6:tcp, tcp good'],
		[sentBy(inet6).rst, 'ipv6:tcp, tcp good'],
		[sentBy(tunnelled(inet)).syn, 'ip:ip:tcp, ip good,good, tcp good'],
		[sentBy(tunnelled(inet6)).syn, 'ipv6:ipv6:tcp, tcp good'],
		[sentBy(tunnelled(inet, { type: 'gre' })).syn, 'ip:gre:ip:tcp, ip good,good, tcp good'],
		[
			sentBy(tunnelled(inet, { type: 'gre', flags: tunnelFlags.checksum })).syn,
			'ip:gre:ip:tcp, ip good,good, tcp good, gre good',
		],
		[sentBy(tunnelled(inet, gue)).syn, 'ip:udp:gue:ip:tcp, ip good,good, tcp good, udp none'],
		[
			sentBy(tunnelled(inet, { ...gue, flags: tunnelFlags.checksum })).syn,
			'ip:udp:gue:ip:tcp, ip good,good, tcp good, udp good',
		],
		[
			sentBy(tunnelled(inet6, { ...gue, flags: tunnelFlags.checksum })).syn,
			'ipv6:udp:gue:ipv6:tcp, tcp good, udp good',
		],
	];
	assert.deepEqual(
		read(frames.map(([frame]) => frame)),
		frames.map(([, expected]) => expected),
	);
});
