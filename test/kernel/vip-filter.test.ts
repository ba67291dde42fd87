/**
 * The kernel takes the VIP probe's filter, and means by it what test/remedy/vip-filter.test.ts says: the same frames, sent
 * and heard on the loopback interface, where nobody else takes them for his own. Needs CAP_NET_RAW.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PacketSocket } from '../../src/addon/index.js';
import { answerFilter } from '../../src/remedy/vip-filter.js';
import { implausible, plausible, samples } from '../remedy/vip-samples.js';
import { sentBy } from '../remedy/vip-sent.js';

const loopback = 1;
const enoughMs = 50;

for (const sample of samples)
	it(`lets through what may be an answer to ${sample.way.source}, and nothing else`, async () => {
		const heard: Uint8Array[] = [];
		const socket = new PacketSocket({
			interfaceIndex: loopback,
			filter: answerFilter(sample.way.source),
			onBatch: (frames) => heard.push(...frames),
			onError: (error) => assert.fail(error),
		});
		const { syn } = sentBy(sample);
		const answers = plausible(sample, syn);
		for (const frame of [...implausible(sample, syn), ...answers]) socket.send(frame);
		await sleep(enoughMs);
		socket.close();
		assert.deepEqual(heard, answers);
	});
