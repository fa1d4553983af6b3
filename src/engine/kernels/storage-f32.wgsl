// A matrix whose numbers are f32, at binding 2 of the kernel that this is put before.
@group(0) @binding(2) var<storage, read> stored: array<vec4f>;

fn stored4(i: u32) -> vec4f { return stored[i]; }

fn stored1(i: u32) -> f32 { return stored[i / 4u][i % 4u]; }
