/**
 * Generic netlink (include/uapi/linux/genetlink.h): the little header that carries a command, and the one question
 * to the controller that everything begins with, by which number a family such as "IPVS" goes here. PURE.
 */
import { AttributeReader, putText } from './attribute.js';
import { ByteReader, ByteWriter, type Extent } from './bytes.js';

/** GENL_ID_CTRL: the only family whose number is fixed. */
export const controllerType = 0x10;

const controller = { version: 1, getFamily: 3, familyId: 1, familyName: 2, familyVersion: 3 } as const;

export interface Family {
	id: number;
	name: string;
	version: number;
}

/** Starts a request of a family: struct genlmsghdr, to which attributes are added. */
export function startCommand(command: number, version: number): ByteWriter {
	return new ByteWriter().u8(command).u8(version).u16(0);
}

/** What follows the generic header, and the command in it; undefined if the message is cut short. */
export function readCommand(message: Extent): { command: number; attributes: Extent } | undefined {
	const reader = new ByteReader(message);
	const command = reader.u8();
	reader.skip(3);
	return reader.failed ? undefined : { command, attributes: reader.rest() };
}

/** CTRL_CMD_GETFAMILY by name. The kernel answers ENOENT where no such family is registered. */
export function getFamily(name: string): Uint8Array {
	const writer = startCommand(controller.getFamily, controller.version);
	putText(writer, controller.familyName, name);
	return writer.finish();
}

/** Reads the controller's answer; undefined if it is malformed or names no family. */
export function readFamily(message: Extent): Family | undefined {
	const answer = readCommand(message);
	if (!answer) return undefined;
	const family: Family = { id: 0, name: '', version: 0 };
	const attributes = new AttributeReader(answer.attributes);
	while (attributes.next()) {
		if (attributes.type === controller.familyId) family.id = attributes.u16();
		else if (attributes.type === controller.familyName) family.name = attributes.text();
		else if (attributes.type === controller.familyVersion) family.version = attributes.u32();
	}
	return attributes.malformed || family.id === 0 ? undefined : family;
}
