// `npm start` on a real director: runs the daemon in mode observe over the machine's own table. What it needs on disk is
// in a temporary directory and what it pins below a name of its own, both gone when it ends. It installs and builds
// nothing: a director is no place to compile on.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root } from './ensure.mjs';
import { stop, tell } from './say.mjs';

const program = join(root, 'dist/src/bundle/cli.js');

export function observe(services) {
	if (!existsSync(program)) {
		stop(
			'this machine is a director, so nothing is installed on it; build the tree elsewhere ("npm run build") and copy it here.',
		);
	}
	tell(`this machine is a director: ${services} virtual services. Observing them; nothing is written. Ctrl-C ends it.`);
	const directory = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	const pins = `/sys/fs/bpf/ipvigil-observe-${process.pid}`;
	const config = join(directory, 'config.yaml');
	writeFileSync(config, JSON.stringify(configuration(directory, pins)));
	const daemon = spawn(process.execPath, [program, 'run', '--config', config], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	createInterface({ input: daemon.stdout }).on('line', (line) => process.stdout.write(`${readable(line)}\n`));
	process.on('SIGINT', () => undefined);
	process.on('SIGTERM', () => daemon.kill('SIGTERM'));
	daemon.once('close', (code) => {
		rmSync(directory, { recursive: true, force: true });
		rmSync(pins, { recursive: true, force: true });
		process.exitCode = code ?? 1;
	});
}

/** YAML is a superset of JSON. */
function configuration(directory, pins) {
	return {
		mode: 'observe',
		runtimeDirectory: join(directory, 'run'),
		journalDirectory: join(directory, 'journal'),
		pinDirectory: pins,
		metrics: 'off',
	};
}

/** The daemon's NDJSON log, for reading: time of day and message. */
function readable(line) {
	try {
		const { time, msg } = JSON.parse(line);
		return `${new Date(time).toLocaleTimeString()}  ${msg}`;
	} catch {
		return line;
	}
}
