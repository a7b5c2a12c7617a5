/** Version of the product: one for all packages. */
export const PRODUCT_VERSION = '0.1.0';

/** Version of the seed protocol on `/sse` and `/mcp` (seed 002, "Versioning"). */
export const API_VERSION = '1.0.0';
