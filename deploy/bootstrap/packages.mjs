// The Debian packages that building, the lab and the checks need, and their installation: as root it installs what is
// missing, otherwise it names the one command to run. No service that a package brings is started or left enabled.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stop, tell } from './say.mjs';

const forBuilding = ['clang', 'libbpf-dev', 'libelf-dev', 'pkg-config', 'make', 'g++', 'python3'];
const forTheLab = [
	...[
		'qemu-system-x86',
		'busybox-static',
		'cpio',
		'xz-utils',
		'zstd',
		'kmod',
		'debian-archive-keyring',
		'ca-certificates',
	],
	...['ipvsadm', 'keepalived', 'iproute2', 'nftables', 'iptables', 'bpftool', 'procps', 'curl', 'tcpdump', 'strace'],
];
const forChecking = ['clang-format', 'shellcheck', 'prometheus', 'git', 'tshark'];

/** Daemons among them: wanted as programs in the lab's guests and in tests, not as services of this machine. */
const services = ['keepalived', 'prometheus', 'nftables'];

const policyFile = '/usr/sbin/policy-rc.d';

/** Installs what is missing, or stops with the command that does. Half a second where nothing is. */
export function ensurePackages() {
	const wanted = [...forBuilding, ...forTheLab, ...forChecking, ...headersOfNode()];
	const missing = missingOf(wanted);
	if (missing === undefined) return tell('this is no Debian: packages are taken to be there');
	if (missing.length === 0) return;
	const words = ['install', '-y', '--no-install-recommends', ...missing];
	if (process.getuid() !== 0)
		stop(`missing packages; run\n\n  sudo apt-get ${words.join(' ')}\n\nand start this again.`);
	tell(`installing ${missing.length} packages: ${missing.join(' ')}`);
	apt(['update', '-q']);
	withoutServices(() => apt(words));
	const started = services.filter((name) => missing.includes(name));
	if (started.length > 0) spawnSync('systemctl', ['disable', ...started], { stdio: 'ignore' });
}

/** Node from Debian ships its headers apart; tarballs and NodeSource bring them along. */
function headersOfNode() {
	const prefixes = [dirname(dirname(process.execPath)), '/usr'];
	return prefixes.some((prefix) => existsSync(join(prefix, 'include/node/node_api.h'))) ? [] : ['libnode-dev'];
}

/** undefined where there is no dpkg. A package counts as present only when it is configured (`ii  name:amd64 ...`). */
function missingOf(wanted) {
	const env = { ...process.env, LC_ALL: 'C', COLUMNS: '300' };
	const { stdout, error } = spawnSync('dpkg', ['-l', ...wanted], { encoding: 'utf8', env });
	if (error) return undefined;
	const present = new Set([...stdout.matchAll(/^ii +([^\s:]+)/gm)].map(([, name]) => name));
	return wanted.filter((name) => !present.has(name));
}

function apt(words) {
	const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
	const { status } = spawnSync('apt-get', words, { stdio: 'inherit', env });
	if (status !== 0) stop(`apt-get ${words.join(' ')} ended with ${status}`);
}

/**
 * While policy-rc.d answers 101 ("forbidden by policy", invoke-rc.d(8)) no maintainer script starts a service. A
 * policy that is there already is the operator's and stays.
 */
function withoutServices(install) {
	const ours = !existsSync(policyFile);
	if (ours) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
	// stop() ends the process, so the removal hangs on its end.
	const remove = () => ours && rmSync(policyFile, { force: true });
	process.once('exit', remove);
	install();
	remove();
}
