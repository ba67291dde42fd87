/**
 * The two vantage points inside ip_vs as the daemon has them: the audit of the table and the attempts at connections.
 * They come and go with the module and with the operator's wish (hooks.ts); here stands only what they are.
 */
import type { Logger } from 'pino';
import { type AuditCapture, auditHooks, openAudit } from '../capture/audit.js';
import { type OutcomeCapture, openOutcome, outcomeHooks } from '../capture/outcome.js';
import { type StreamLosses, sumLosses } from '../capture/stream.js';
import type { KernelEvent } from '../decode/event.js';
import type { WatchView } from '../report/view.js';
import { bootMs } from './clock.js';
import type { Config } from './config.js';
import { Hooked, HookKeeper } from './hooks.js';
import { ReleaseRequest } from './release-request.js';
import type { Tape } from './tape.js';

export interface IpvsHooksParts {
	config: Config;
	log: Logger;
	onEvents: (events: KernelEvent[]) => void;
	tape: Tape;
	/** Something was attached or let go, or the module has come or gone. */
	onChange: () => void;
}

export class IpvsHooks {
	readonly #audit: Hooked<AuditCapture>;
	readonly #outcome: Hooked<OutcomeCapture>;
	/** Those that the configuration asks for. */
	readonly #wanted: readonly (Hooked<AuditCapture> | Hooked<OutcomeCapture>)[] = [];
	/** Undefined where the table is not the kernel's: nobody writes it, and it has no connections. */
	readonly #keeper: HookKeeper | undefined;

	constructor(parts: IpvsHooksParts) {
		const { config, log, onChange } = parts;
		this.#audit = hookedAudit(parts);
		this.#outcome = hookedOutcome(parts);
		if (config.table) return;
		this.#wanted = config.attempts === 'auto' ? [this.#audit, this.#outcome] : [this.#audit];
		this.#keeper = new HookKeeper({
			hooked: this.#wanted,
			request: new ReleaseRequest(config.runtimeDirectory),
			nowMs: bootMs,
			log,
			onChange,
		});
	}

	get audit(): AuditCapture | undefined {
		return this.#audit.current;
	}

	get outcome(): OutcomeCapture | undefined {
		return this.#outcome.current;
	}

	/** Each hook that should be attached, and whether it is. */
	watching(): WatchView[] {
		return this.#wanted.flatMap((hooked) => hooked.watching());
	}

	/** Of both since the start: a count that fell would look like a restart of ipvigil. */
	losses(): StreamLosses {
		return sumLosses([this.#audit.losses(), this.#outcome.losses()]);
	}

	/** `auditStays`: its hooks go on recording for a successor. */
	close(auditStays: boolean): void {
		this.#keeper?.close();
		this.#outcome.close((outcome) => outcome.close());
		this.#audit.close((audit) => (auditStays ? audit.close() : audit.release()));
	}
}

function hookedAudit({ config, log, onEvents, tape }: IpvsHooksParts): Hooked<AuditCapture> {
	const onError = (error: Error) => log.error({ err: error }, 'the audit events could not be read');
	const parts = {
		vantage: 'audit' as const,
		name: 'audit',
		hooks: auditHooks,
		without: 'the table is not audited: writes by others are noticed by their value only',
		open: () => {
			const audit = openAudit({ pinDirectory: config.pinDirectory, onEvents, onBatch: tape.of('audit'), onError });
			if (audit.available) tellAudit(audit, log);
			return audit;
		},
		letGo: (audit: AuditCapture) => audit.release(),
	};
	return new Hooked(parts, log);
}

function tellAudit({ adopted, hooks }: AuditCapture, log: Logger): void {
	if (adopted) log.info('the audit of an earlier ipvigil is taken over: no write was missed since');
	for (const { hook, reason } of hooks.filter(({ attached }) => !attached))
		log.warn({ hook, reason }, 'a hook of the audit is not attached: what it tells is missing');
}

function hookedOutcome({ config, log, onEvents, tape }: IpvsHooksParts): Hooked<OutcomeCapture> {
	const onError = (error: Error) => log.error({ err: error }, 'the outcomes of attempts could not be read');
	const { destinations: destinationsMax, connections: connectionsMax, ringBytes } = config.limits;
	const bounds = { destinationsMax, connectionsMax, ringBytes };
	const parts = {
		vantage: 'outcome' as const,
		name: 'watch on attempts',
		hooks: outcomeHooks,
		without: 'no hooks inside IPVS: attempts are told by the wire alone, and only in NAT',
		open: () => openOutcome({ ...bounds, onEvents, onBatch: tape.of('outcome'), onError }),
		letGo: (outcome: OutcomeCapture) => outcome.close(),
	};
	return new Hooked(parts, log);
}
