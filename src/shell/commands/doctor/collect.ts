/**
 * Gathers what doctor judges: files of /proc and /sys, the BPF objects, the table. Each line is made by the pure
 * functions beside this file; here stands only where its values come from.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { ipvsInstance } from '../../../capture/module.js';
import type { Config } from '../../config.js';
import { toExit } from '../../errors.js';
import { ReleaseRequest } from '../../release-request.js';
import { readTable } from '../../table-source.js';
import { bpfChecks } from './bpf.js';
import { type Check, missing } from './check.js';
import { type Directory, directoryChecks } from './directories.js';
import { moduleChecks, type Sysctls, sysctlChecks, tableChecks } from './ipvs.js';
import { attachCheck, interfacesCheck, lockdownCheck, pinCheck, releaseCheck, typesCheck } from './kernel.js';
import { privilegesCheck } from './privileges.js';

export async function collectChecks(config: Config): Promise<Check[]> {
	const mounts = textOf('/proc/self/mounts') ?? '';
	const privileges = privilegesCheck(textOf('/proc/self/status') ?? '', asksVips(config));
	return [
		privileges,
		releaseCheck(release()),
		typesCheck(existsSync('/sys/kernel/btf/vmlinux')),
		lockdownCheck(textOf('/sys/kernel/security/lockdown')),
		...bpfChecks({
			privileged: privileges.status !== 'missing',
			ipvsLoaded: ipvsLoaded(),
			attach: config.attach,
			attempts: config.attempts,
			released: new ReleaseRequest(config.runtimeDirectory).standing,
		}),
		attachCheck(release(), config.attach),
		interfacesCheck(config.interfaces, (name) => existsSync(`/sys/class/net/${name}`)),
		pinCheck(mounts, config.pinDirectory),
		...(await ipvsChecks(config)),
		...directoryChecks(config, lookAt, mounts),
	];
}

function ipvsLoaded(): boolean {
	return ipvsInstance() !== undefined;
}

async function ipvsChecks(config: Config): Promise<Check[]> {
	const loaded = ipvsLoaded();
	const hasTypes = existsSync('/sys/kernel/btf/ip_vs');
	const modules = moduleChecks({ loaded, hasTypes, rulesOnly: config.table !== undefined });
	if (!loaded && config.table === undefined) return modules;
	const { checks, persistent } = await readTableChecks(config);
	return [...modules, ...(loaded ? sysctlChecks(readSysctls(), persistent) : []), ...checks];
}

/** Reading the table is the check of the netlink family too. */
async function readTableChecks(config: Config): Promise<{ checks: Check[]; persistent: boolean }> {
	try {
		const snapshot = await readTable([], config.table?.rules);
		const persistent = snapshot.services.some(({ persistenceSeconds }) => persistenceSeconds > 0);
		return { checks: tableChecks(snapshot), persistent };
	} catch (error) {
		const { kind, sentence, remedy } = toExit(error);
		return { checks: [missing('table', kind, sentence, remedy)], persistent: false };
	}
}

function readSysctls(): Sysctls {
	return {
		conn_reuse_mode: numberOf('conn_reuse_mode'),
		expire_nodest_conn: numberOf('expire_nodest_conn'),
		expire_quiescent_template: numberOf('expire_quiescent_template'),
	};
}

function numberOf(name: keyof Sysctls): number | undefined {
	const text = textOf(`/proc/sys/net/ipv4/vs/${name}`);
	return text === undefined ? undefined : Number(text);
}

/** Undefined where the file cannot be read, whatever the reason: the check that asked says what that means. */
function textOf(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}

function lookAt(path: string): Directory {
	return { path, exists: existsSync(path), writable: isWritable(nearestExisting(path)) };
}

function nearestExisting(path: string): string {
	return existsSync(path) || path === '/' ? path : nearestExisting(dirname(path));
}

/** access(2) asks for the real user, which is the effective one here: ipvigil is not set-uid. */
function isWritable(path: string): boolean {
	try {
		accessSync(path, constants.W_OK);
		return true;
	} catch {
		return false;
	}
}

function asksVips({ probe, services }: Config): boolean {
	return [probe, ...Object.values(services).flatMap((own) => own.probe ?? [])].some(({ method }) => method === 'auto');
}
