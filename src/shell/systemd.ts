/**
 * What systemd is told: ready, status, stopping, and that we are alive (sd_notify(3)). Outside of systemd, where
 * NOTIFY_SOCKET is not set, every call is a no-op. Node has no datagram sockets of the unix family, so the message is
 * sent by systemd-notify(1); its unit therefore says NotifyAccess=all. A notification that fails harms nothing.
 */
import { execFile } from 'node:child_process';

export interface ServiceNotifier {
	ready(status: string): void;
	status(text: string): void;
	stopping(status: string): void;
	/** Tells systemd that we are alive while `isAlive` says so, twice in each watchdog period; returns what ends it. */
	startWatchdog(isAlive: () => boolean): () => void;
}

type Send = (assignments: string[]) => void;

/** A notifier must never hold up the daemon's end: systemd-notify is given this long. */
const sendTimeoutMs = 2_000;

function sendBySystemdNotify(assignments: string[]): void {
	execFile('systemd-notify', assignments, { timeout: sendTimeoutMs, killSignal: 'SIGKILL' }, ignore);
}

/** Whoever could be told of a failed notification is the one that could not be reached. */
function ignore(): void {}

export function createServiceNotifier(
	environment: NodeJS.ProcessEnv = process.env,
	send: Send = sendBySystemdNotify,
): ServiceNotifier {
	const notify: Send = environment.NOTIFY_SOCKET ? send : ignore;
	return {
		ready: (status) => notify(['READY=1', statusOf(status)]),
		status: (text) => notify([statusOf(text)]),
		stopping: (status) => notify(['STOPPING=1', statusOf(status)]),
		startWatchdog: (isAlive) => startWatchdog(environment, notify, isAlive),
	};
}

/** sd_notify(3): assignments are separated by newlines, so a status has none. */
function statusOf(text: string): string {
	return `STATUS=${text.replaceAll('\n', ' ')}`;
}

function startWatchdog(environment: NodeJS.ProcessEnv, notify: Send, isAlive: () => boolean): () => void {
	const periodMs = Number(environment.WATCHDOG_USEC ?? 0) / 1_000;
	if (!(periodMs > 0)) return ignore;
	const timer = setInterval(() => isAlive() && notify(['WATCHDOG=1']), periodMs / 2);
	timer.unref();
	return () => clearInterval(timer);
}
