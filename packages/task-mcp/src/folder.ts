import { constants } from 'node:fs';
import { access, opendir } from 'node:fs/promises';

/** Reads one entry of the folder: what a listing needs first. */
export const isReadable = async (folder: string): Promise<boolean> => {
  try {
    const dir = await opendir(folder);
    try {
      await dir.read();
    } finally {
      await dir.close();
    }
    return true;
  } catch {
    return false;
  }
};

/** A read-only file system says no here even to root. */
export const isWritable = async (folder: string): Promise<boolean> => {
  try {
    await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

export const exists = async (folder: string): Promise<boolean> => {
  try {
    await access(folder);
    return true;
  } catch {
    return false;
  }
};
