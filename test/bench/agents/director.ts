/**
 * The real daemon over a table of its own: `director CONFIG RULES INTERFACE ENDPOINT`. Everything is as in a director
 * but the last step: SET_DEST is encoded, stamped and told on standard output, and the table in memory takes the
 * weight.
 */
import { setDestination } from '../../../src/netlink/ipvs.js';
import { loadConfig } from '../../../src/shell/config.js';
import { runDaemon } from '../../../src/shell/daemon.js';
import { readRules, type TableAccess } from '../../../src/shell/table-source.js';
import { parseHostPort, serviceId } from '../../../src/table/identity.js';
import { monotonicUs } from '../processes.js';
import { answer, onMessage } from './lines.js';
import { record } from './recorder.js';

const [configFile, rulesFile = '', interfaceName = '', watched = ''] = process.argv.slice(2);

function recordingTable(): TableAccess {
	const snapshot = readRules(rulesFile);
	const find = (id: string) => snapshot.services.find(({ address }) => serviceId(address) === id);
	return {
		unreadable: 0,
		snapshot: async () => structuredClone(snapshot),
		service: async (address) => structuredClone(find(serviceId(address))),
		setDestination: async (address, destination) => {
			const octets = setDestination(address, destination).length;
			const atUs = monotonicUs();
			const { weight, port } = destination;
			answer({ kind: 'set', atUs, address: destination.address, port, weight, octets });
			const destinations = find(serviceId(address))?.destinations;
			const standing = destinations?.find((one) => one.address === destination.address && one.port === port);
			if (!standing) return 'gone';
			standing.weight = weight;
			return 'done';
		},
		close: () => {},
	};
}

const endpoint = parseHostPort(watched);
if (!endpoint) throw new Error(`${watched} is no endpoint`);
const refusals = record(interfaceName, { protocol: 'tcp', ...endpoint });
onMessage(() => {
	answer({ kind: 'refusals', refusals: refusals().map(({ atUs, client }) => ({ atUs, client })) });
});
await runDaemon(loadConfig(configFile), { dryRun: false, table: recordingTable() });
process.exit(0);
