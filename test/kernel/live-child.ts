/**
 * Runs inside the router's namespace: `live-child INTERFACE POLICY` opens the wire as the daemon would, or, where the
 * second word is tcx or clsact, attaches in exactly that way (clsact-beside: as trace does beside a daemon). Prints one
 * JSON line for how it is attached, then one per event; looks for the interface again at each line that it is given, and
 * ends when its standard input does.
 */
import { attachBy, handleBeside, programsFor } from '../../src/capture/attach.js';
import { loadObject } from '../../src/capture/programs.js';
import { openWire, WireCapture, type WireOptions } from '../../src/capture/wire.js';
import { closedPort, serverAddress } from './netns.js';

function print(value: unknown): void {
	process.stdout.write(`${JSON.stringify(value)}\n`);
}

const [interfaceName = '', how = ''] = process.argv.slice(2);

function options(attach: WireOptions['attach'], interfaces: string[]): WireOptions {
	return {
		interfaces,
		attach,
		onEvents: (events) => events.forEach(print),
		onError: (error) => {
			throw error;
		},
	};
}

function open(): ReturnType<typeof openWire> {
	if (how !== 'tcx' && !how.startsWith('clsact'))
		return openWire(options(how as WireOptions['attach'], [interfaceName]));
	const object = loadObject({ object: 'wire', programs: programsFor('tc') });
	const wire = new WireCapture(object, options('tc', []));
	const handle = how === 'clsact-beside' ? handleBeside : undefined;
	const attachment = attachBy(how === 'tcx' ? how : 'clsact', object, interfaceName, handle);
	process.stdin.on('end', () => attachment.close());
	return wire;
}

const wire = open();
if (wire.available) {
	const endpoint = { protocol: 'tcp', family: 'inet', address: serverAddress, port: closedPort } as const;
	wire.setEndpoints([endpoint]);
	process.stdin.on('end', () => {
		print(wire.losses());
		wire.close();
	});
	process.stdin.on('data', () => print({ interfaces: wire.setInterfaces([interfaceName]) }));
	print({ available: true, interfaces: wire.interfaces });
} else {
	print(wire);
}
