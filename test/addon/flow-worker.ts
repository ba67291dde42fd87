/** A worker thread for worker.test.ts. What it does is its `workerData`; it says 'ready' when the test may go on. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { MarkedConnection, NetlinkSocket, PacketSocket, RingReader } from '../../src/addon/index.js';
import { loadFixture, packetOf, returnAll } from './fixture.js';

const object = loadFixture();
const produce = (records: number) => object.testRun('xdp_record', packetOf(64), { repeat: records });

function open(onBatch: () => void): RingReader {
	return new RingReader(object.map('events'), {
		maxRecordsPerBatch: 16,
		onBatch,
		onError: (error) => assert.fail(error),
	});
}

const behaviours: Record<string, () => void> = {
	/** Never stops by itself: records, a socket and a tracing link are in use when the test terminates us. */
	flow() {
		object.attachTracing('count_calls');
		new NetlinkSocket({ protocol: 0, groups: [1], onBatch: () => undefined, onError: (error) => assert.fail(error) });
		const packets = { interfaceIndex: 1, filter: returnAll, onBatch: () => undefined };
		const wire = new PacketSocket({ ...packets, onError: (error) => assert.fail(error) });
		setInterval(() => wire.send(packetOf(64)), 1);
		const nobody = { mark: 1, address: Uint8Array.of(127, 0, 0, 1), port: 9 };
		const onConnect = () => assert.fail('somebody listens on the port of the discard service');
		setInterval(() => new MarkedConnection({ ...nobody, onConnect, onError: () => undefined }), 1);
		open(() => parentPort?.postMessage('ready'));
		setInterval(() => produce(200), 1);
	},
	/** Exits while the ring is open and full. */
	exit() {
		open(() => process.exit(0));
		produce(1000);
	},
	throwInCallback() {
		open(() => {
			throw new Error('from onBatch');
		});
		produce(1);
	},
	/** Lets go of the ring reader, so that only the addon's own reference can keep it. */
	forget() {
		setFlagsFromString('--expose-gc');
		const collectGarbage = runInNewContext('gc') as () => void;
		open(() => parentPort?.postMessage('ready'));
		setTimeout(() => {
			collectGarbage();
			setTimeout(() => produce(1), 20).unref();
		}, 20).unref();
	},
	/** Nothing but the open ring keeps this thread alive until the timer, which does not. */
	stayAlive() {
		const reader = open(() => undefined);
		setTimeout(() => {
			reader.close();
			parentPort?.postMessage('closed');
		}, 100).unref();
	},
};

behaviours[workerData]?.();
