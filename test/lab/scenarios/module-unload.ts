/**
 * The operator unloads ip_vs under a running ipvigil: the hooks let go at `ipvigil hooks release`, forwarding goes on
 * meanwhile, rmmod works then and not before; and when the module is loaded anew, ipvigil watches again by itself.
 */
import { ipvigil } from '../daemon.js';
import { bringIpvs, isIpvsLoaded, unloadIpvs } from '../modules.js';
import { concerns, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const actLimitMs = 30_000;
/** Forty connections, and a look of ipvigil's at the module. */
const watchedMs = 2_000;
const unloadLimitMs = 30_000;

const scenario: Scenario = {
	name: 'module-unload',
	sentence: 'ip_vs can be unloaded once the hooks were asked to let go, which clients do not notice',
	ci: ['6.1'],
	topology: natIpv4({ servers: 2 }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, { mode: 'observe' });
		await letGoAndTakeUp(lab, stage);
		await stage.traffic.stop();
		await unload(lab, stage.daemon);
		await comesBack(lab, stage);
	},
};

/** How often the two vantage points were attached, by the log. */
const attached = (daemon: Daemon) => daemon.log().filter(({ msg }) => / is attached to ip_vs$/.test(msg)).length;

async function hooks(lab: Lab, daemon: Daemon, action: 'release' | 'attach'): Promise<string> {
	const words = ['hooks', action, '--config', `${lab.directory}/ipvigil.yaml`];
	const said = await lab.exec(lab.topology.director, process.execPath, ipvigil, ...words);
	lab.expect(daemon.ended === undefined, 'ipvigil runs', daemon.lines.slice(-5));
	lab.note(`ipvigil hooks ${action}: ${said.trim()}`);
	return said;
}

async function letGoAndTakeUp(lab: Lab, { daemon, traffic }: WatchedStage): Promise<void> {
	lab.expect(attached(daemon) === 2, 'audit and attempts are watched from inside', daemon.log());
	await hooks(lab, daemon, 'release');
	const before = traffic.totals().ok;
	await lab.sleep(watchedMs);
	lab.expect(traffic.totals().ok > before, 'clients are served while the hooks have let go', traffic.totals());
	await hooks(lab, daemon, 'attach');
	await lab.until('the hooks are taken up again', actLimitMs, () => attached(daemon) === 4);
	await lab.sleep(watchedMs);
	// Two seconds' stall of an emulated machine may end an accepted connection; that is not what hooks could do.
	const lost = traffic.failures.filter(({ result }) => ['refused', 'timeout', 'unreachable'].includes(result));
	lab.expect(lost.length === 0, 'no client has noticed', lost);
}

async function unload(lab: Lab, daemon: Daemon): Promise<void> {
	await lab.director.ipvsadm('-C');
	const refusal = await unloadIpvs().catch((error: Error) => error.message);
	lab.expect(/ip_vs is in use|Resource temporarily unavailable/.test(String(refusal)), 'rmmod is refused', refusal);
	await hooks(lab, daemon, 'release');
	await lab.until('rmmod is not refused any more', unloadLimitMs, async () => {
		await unloadIpvs();
		return true;
	});
	await lab.until('ipvigil notices', actLimitMs, () =>
		daemon.log().some(({ msg }) => msg === 'ip_vs is gone: waiting for it'),
	);
	await lab.sleep(watchedMs);
	lab.expect(!(await isIpvsLoaded()), 'and does not bring it back');
	lab.note('ip_vs is unloaded, and ipvigil goes on');
}

async function comesBack(lab: Lab, { daemon, victim }: WatchedStage): Promise<void> {
	await bringIpvs(lab, lab.topology);
	await lab.until('the hooks are taken up by themselves', actLimitMs, () => attached(daemon) === 6);
	const traffic = lab.clients.start();
	await lab.until('clients are served again', actLimitMs, () => Object.keys(traffic.totals().by).length === 2);
	await daemon.calibrated([victim.destination]);
	await victim.kill();
	const line = await daemon.journaled('the failure', actLimitMs, concerns('failed', victim));
	lab.note(line.sentence, line.bootMs);
	await traffic.stop();
	lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
}

export default scenario;
