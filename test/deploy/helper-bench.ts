/** A place for the give-back helper to run in: a ledger, and an ipvsadm that only keeps notes. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../src/remedy/ledger.js';
import { temporaryDirectory } from '../remedy/example.js';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const helper = join(root, 'deploy/give-back/ipvigil-give-back');

const fakeIpvsadm = `#!/bin/sh
# Prints $NOTES/table for -S -n; notes the arguments of -e, one a line. The file fail-<option> makes it fail.
[ ! -e "$NOTES/fail$1" ] || { echo "Can't initialize ipvs" >&2; exit 2; }
case "$*" in
	'-S -n') cat "$NOTES/table" ;;
	'-e '*) printf '%s\\n' "$*" >> "$NOTES/edits" ;;
	*) exit 64 ;;
esac
`;

/** Seconds of the boot clock, as the helper reads them. */
export const uptime = () => Number(readFileSync('/proc/uptime', 'utf8').split('.')[0]);
export class HelperBench {
	readonly directory: string;
	readonly leases: string;
	readonly trackFile: string;
	readonly ledger: Ledger;

	constructor(t: TestContext) {
		this.directory = temporaryDirectory(t);
		this.leases = join(this.directory, 'leases');
		this.trackFile = join(this.directory, 'track file');
		this.ledger = new Ledger(this.leases, () => this.trackFile);
		mkdirSync(join(this.directory, 'bin'));
		writeFileSync(join(this.directory, 'bin/ipvsadm'), fakeIpvsadm);
		chmodSync(join(this.directory, 'bin/ipvsadm'), 0o755);
		writeFileSync(this.trackFile, '1\n');
		this.table('-a -t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 0');
	}

	/** What `ipvsadm -S -n` will print below a service of its own. */
	table(...lines: string[]): void {
		writeFileSync(join(this.directory, 'table'), ['-A -t 10.0.0.100:8080 -s wrr', ...lines, ''].join('\n'));
	}

	failing(option: '-S' | '-e'): void {
		writeFileSync(join(this.directory, `fail${option}`), '');
	}

	writers(text: string): string[] {
		writeFileSync(join(this.directory, 'writers'), text);
		return ['--writers', join(this.directory, 'writers')];
	}

	run(args: string[] = [], shell = ['/bin/sh']) {
		const [file = '', ...before] = shell;
		const nobody = ['--writers', join(this.directory, 'no-such-file')];
		const { status, stderr } = spawnSync(file, [...before, helper, '--directory', this.leases, ...nobody, ...args], {
			encoding: 'utf8',
			env: { PATH: `${join(this.directory, 'bin')}:${process.env.PATH}`, NOTES: this.directory },
			timeout: 10_000,
		});
		return { status, said: stderr };
	}

	get edits(): string[] {
		const notes = join(this.directory, 'edits');
		return existsSync(notes) ? readFileSync(notes, 'utf8').trimEnd().split('\n') : [];
	}

	get left(): string[] {
		return readdirSync(this.leases);
	}
}
