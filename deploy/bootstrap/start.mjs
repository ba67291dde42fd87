// `npm start`: on a director, observes its real table and writes nothing; anywhere else, shows in a virtual machine
// what ipvigil does when a real server dies. With --without the same happens without ipvigil, to compare.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensure, ensureNode, root } from './ensure.mjs';
import { observe } from './observe.mjs';
import { stop } from './say.mjs';

const help = `npm start [-- OPTIONS]

On a director (the kernel's IPVS table has services): observes it, changes nothing, installs nothing.
Elsewhere: boots a director, clients and three real servers in a virtual machine, kills a server, and shows
what happens to clients and weights. Ends with 0 only if the server was taken out and given back.

  --kernel SERIES   Debian kernel of the virtual machine: 6.1 (default), 6.12 or 7
  --without         the same without ipvigil: clients are refused for as long as the server is dead
  --help            this text
`;

const kernels = ['6.1', '6.12', '7'];

function readOptions() {
	const options = {
		kernel: { type: 'string', default: '6.1' },
		without: { type: 'boolean' },
		help: { type: 'boolean' },
	};
	try {
		return parseArgs({ options }).values;
	} catch (error) {
		return stop(`${error.message}\n\n${help}`);
	}
}

/** Lines of services begin with their protocol; those of destinations with an arrow (ip_vs_info_seq_show). */
function servicesOfThisMachine() {
	const path = '/proc/net/ip_vs';
	if (!existsSync(path)) return 0;
	return readFileSync(path, 'utf8').match(/^(TCP|UDP|SCTP|FWM) /gm)?.length ?? 0;
}

function demo({ kernel, without }) {
	ensure();
	const words = [join(root, 'dist/test/lab/cli.js'), without ? 'demo-without' : 'demo', '--kernel', kernel];
	const lab = spawn(process.execPath, words, { cwd: root, stdio: 'inherit' });
	// The terminal gives Ctrl-C to the lab too; it takes the machine down, and this waits for it.
	process.on('SIGINT', () => undefined);
	process.on('SIGTERM', () => lab.kill('SIGTERM'));
	lab.once('close', (code) => {
		process.exitCode = code ?? 1;
	});
}

const options = readOptions();
const services = servicesOfThisMachine();
if (options.help) process.stdout.write(help);
else if (!kernels.includes(options.kernel)) stop(`--kernel is one of ${kernels.join(', ')}\n\n${help}`);
else if (services > 0) {
	ensureNode();
	observe(services);
} else demo(options);
