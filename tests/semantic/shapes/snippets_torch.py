"""Expressions in PyTorch for every row of the table, and what they need."""

from __future__ import annotations

_ENTRYWISE = """normalize exp log log1p expm1 log2 relu relu_ sqrt rsqrt abs square sigmoid tanh sigmoid_ logsigmoid
softplus exp_ log_ sqrt_ neg neg_ reciprocal sign floor ceil round sin cos elu gelu leaky_relu
hardtanh isnan isinf isfinite nan_to_num bernoulli bernoulli_ logit logical_not""".split()
_METHODS = """cpu clone detach detach_ contiguous requires_grad_ zero_ normal_ uniform_ random_ half double
float bfloat16
long int bool byte char short tril triu tril_ triu_ fliplr flipud argsort numpy share_memory_ pin_memory
coalesce to_dense cuda""".split()
_FUNCTIONAL = {"normalize", "relu", "logsigmoid", "softplus", "elu", "gelu", "leaky_relu", "hardtanh"}
_HARDWARE = {"pin_memory", "coalesce", "to_dense", "cuda"}


def _entrywise() -> list[str]:
    found = [f"F.{name}(z)" if name in _FUNCTIONAL else f"z.{name}()" for name in _ENTRYWISE if name != "logit"]
    found += [f"torch.{name}(z)" for name in ("exp", "log", "isnan", "logical_not", "sqrt", "neg", "relu", "floor")]
    return found + [f"z.{name}()" for name in _METHODS if name not in _HARDWARE]


ENTRYWISE = [
    *_entrywise(),
    "z.abs_()", "z.floor_()", "z.ceil_()", "z.round_()", "z.clamp_min_(0.1)",
    "z.scatter_reduce(0, y[:, None], w, 'sum')", "z.scatter_reduce_(0, y[:, None], w, 'sum')", "torch.erf(z)",
    "F.mish(z)", "F.silu(z)", "F.selu(z)", "F.celu(z)", "F.softsign(z)", "F.hardsigmoid(z)", "F.layer_norm(z, (D,))",
    "F.hardshrink(z)", "F.softmin(z, 1)", "nn.Softmin(1)(z)", "nn.GELU()(z)", "nn.LeakyReLU()(z)",
    "z.requires_grad_().retain_grad()\nz", "F.normalize(z, dim=1)", "F.normalize(z, p=2.0, dim=-1)",
    "F.softmax(sim, dim=1)", "sim.softmax(-1)", "torch.log_softmax(sim, dim=1)", "sim.log_softmax(1)",
    "F.log_softmax(x, dim=-1)", "z.clamp(min=0.1)", "z.clamp_(0.1)", "torch.clip(z, 0, 1)", "z.clip(0, 1)",
    "z.clamp_min(0.1)", "z.clamp_max(0.1)", "z.pow(2)", "torch.pow(z, 2)", "z.logit()",
    "torch.ones(S, S).fill_diagonal_(0)", "sim.fill_diagonal_(-1e9)", "z.fill_(1.0)", "sim.cumsum(0)",
    "torch.cumprod(sim, 1)", "x.flip(0)", "torch.flip(z, [0, 1])", "z.to(torch.float64)", "y.to(torch.bool)",
    "mask.type(torch.float32)", "z.type_as(y)", "F.dropout(z, 0.1)", "z.masked_scatter(keep[:, None].expand(N, D), w)",
    "torch.bitwise_not(mask)", "sim.roll(S, dims=0)", "torch.roll(y, S)", "torch.roll(x, shifts=1, dims=0)",
    "y.index_fill(0, idx, 3)", "z.index_fill_(0, idx, 0.0)", "z.index_add(0, idx, q)", "z.index_add_(0, idx, q)",
    "z.index_copy(0, torch.arange(N), w)", "z.index_copy_(0, torch.arange(N), w)", "z.copy_(w)",
    "sim.scatter(1, y.view(-1, 1), 0)", "sim.scatter_(1, y.view(-1, 1), 0)",
    "torch.zeros_like(sim).scatter_(1, y[:, None], 1)", "sim.scatter_add(1, y.view(-1, 1), col)",
    "sim.scatter_add_(1, y.view(-1, 1), col)", "nn.Softmax(dim=1)(sim)", "nn.LogSoftmax(dim=1)(sim)", "nn.Sigmoid()(z)",
    "nn.ReLU()(z)", "nn.Identity()(z)", "nn.LayerNorm(D)(z)", "nn.Dropout(0.2)(z)", "nn.Tanh()(z)",
    "sim.masked_fill(mask, 0.0)", "sim.masked_fill_(mask, 0)", "torch.masked_fill(sim, torch.eye(S).bool(), -1e9)",
    "sim.masked_fill(torch.eye(S).bool(), -1e9)", "x.masked_fill(keep[:, None], 0)", "sim.index_put((y, y), t)",
    "sim.index_put_((y, y), t)",
]  # fmt: skip

CREATION = [
    "torch.zeros(S)", "torch.ones(2, S)", "torch.empty((S, D))", "torch.rand(S, D, dtype=torch.float64)",
    "torch.randn([S, D])", "torch.zeros(size=(S, 2))", "torch.zeros(S, dtype=torch.long)", "torch.ones(S, S).bool()",
    "torch.ones(z.shape)", "torch.zeros(z.size())", "torch.zeros(S, *z.shape)", "torch.zeros(z.shape[0], 2)",
    "torch.zeros(())", "z.new_zeros(S)", "z.new_ones((S, 2))", "z.new_empty(S, D)", "y.new_zeros(S)",
    "z.new_full((S,), 1)", "torch.full((S, S), 0.5)", "torch.full((S,), False)",
    "torch.full(size=(S, 2), fill_value=1)", "torch.randint(5, (S,))", "torch.randint(0, 5, (S, 2))",
    "torch.randint(high=5, size=(S,))", "torch.randint_like(z, 5)", "torch.randint(0, S, (M,))", "torch.randperm(S)",
    "torch.zeros_like(z)", "torch.ones_like(sim, dtype=torch.bool)", "torch.full_like(y, 2)", "torch.empty_like(mask)",
    "torch.rand_like(z)", "torch.randn_like(x)", "torch.eye(S)", "torch.eye(S, N)", "torch.eye(n=S, m=D)",
    "torch.eye(S, dtype=torch.bool)", "torch.arange(S)", "torch.arange(S, 2 * S)", "torch.arange(1, S)",
    "torch.arange(0, 2 * S, 2)", "torch.arange(0, 6 * S, step=3)", "torch.arange(S - 1, -1, -1)",
    "torch.arange(start=1, end=S)", "torch.arange(end=S)", "torch.arange(0, S, 2)", "torch.arange(0, 10, 4)",
    "torch.arange(S, dtype=torch.float32)", "torch.arange(0.0, S)", "torch.arange(0, 1, 0.25)",
    "torch.arange(10, 0, -3)", "torch.arange(2 * S)[::2]", "torch.range(0, S)", "torch.linspace(0, 1, S)",
    "torch.linspace(0, 1, steps=S)", "torch.logspace(0, 1, S)", "torch.tril_indices(S, S, -1)",
    "torch.triu_indices(S, S, offset=1)", "torch.triu_indices(N, N, 1)[0]", "torch.tensor([1, 2, 3])",
    "torch.tensor([[1, 2, 3], [4, 5, 6]])", "torch.tensor([0, 1] * S)", "torch.tensor([0] * S)",
    "torch.tensor([i for i in range(S)])", "torch.tensor([[i, i + 1] for i in range(S)])",
    "torch.tensor(list(range(S)))", "torch.tensor([i + S for i in range(S)] + [i for i in range(S)])",
    "torch.tensor(range(S))", "torch.tensor([0.5] * S)", "torch.tensor([True, False])",
    "torch.tensor([i for _ in range(2) for i in range(S)])", "torch.tensor([1.0, 2.0])", "torch.tensor(3)",
    "torch.tensor([i for i in range(S) if i % 2])", "torch.tensor([S, D])", "torch.as_tensor(list(range(S)))",
    "torch.asarray([0] * S)", "torch.LongTensor(S)", "torch.LongTensor([0, 1])", "torch.LongTensor(list(range(S)))",
    "torch.FloatTensor(S, D)", "torch.IntTensor(S)", "torch.BoolTensor(S, S)", "torch.DoubleTensor(2)",
    "torch.ByteTensor(S)", "torch.Tensor(S, D)", "torch.Tensor([1, 2])", "torch.tensor([0] * S, dtype=torch.bool)",
    "torch.from_numpy(np.arange(S))", "torch.from_numpy(np.eye(S))", "torch.autograd.Variable(z)", "nn.Parameter(z)",
    "F.one_hot(y, S + 2)", "F.one_hot(y, num_classes=D)", "F.one_hot(y)", "F.one_hot(torch.arange(S), S)",
    "torch.HalfTensor(S)", "torch.complex(z, w)",
]  # fmt: skip

JOINING = [
    "torch.cat([z, w])", "torch.cat([z, q], dim=0)", "torch.cat((z, w), 1)", "torch.cat([z, w], dim=-1)",
    "torch.cat([z, q], dim=1)", "torch.concat([z, z, z])", "torch.concatenate([z, w], axis=1)",
    "torch.cat([torch.arange(S), torch.arange(S)])", "torch.cat([x[0], x[1]])", "torch.cat([each for each in x])",
    "torch.cat(list(x))", "torch.cat(torch.unbind(x, 0), dim=0)", "torch.cat([torch.arange(S)] * 2)",
    "torch.cat([torch.arange(S) for _ in range(V)])", "torch.cat([torch.arange(S)] * V)",
    "torch.cat(tensors=(z, w), dim=0)", "torch.cat([sim, torch.eye(S)], dim=1)",
    "torch.cat([sim, torch.zeros(S, 1)], dim=1)", "torch.cat([z[:S], z[S:]])", "torch.cat(z.chunk(2), dim=1)",
    "torch.cat([y, t])", "torch.vstack([z, w])", "torch.vstack((z, q))", "torch.row_stack([z, w])",
    "torch.vstack([t, t])", "torch.vstack([torch.arange(S), y])", "torch.hstack([z, w])", "torch.hstack([t, y])",
    "torch.hstack([torch.arange(S), torch.arange(S)])", "torch.hstack([sim, torch.ones(S, 2)])", "torch.stack([z, w])",
    "torch.stack([z, w], dim=1)", "torch.stack([z, w], -1)", "torch.stack([torch.arange(S), y])",
    "torch.stack([z, w], 1).view(-1, D)", "torch.stack([torch.arange(S)] * 2).view(-1)",
    "torch.stack([z[i] for i in range(S)])", "torch.dstack([sim, sim])", "torch.dstack([x, x])",
    "torch.column_stack([t, y])", "torch.column_stack([z, w])", "z.unsqueeze(0)", "z.unsqueeze(1)", "z.unsqueeze(-1)",
    "z.unsqueeze(-3)", "torch.unsqueeze(t, dim=1)", "torch.arange(S).repeat(2)", "torch.arange(S).repeat(V)",
    "z.repeat(2, 1)", "torch.eye(S).repeat(2, 2)", "z.repeat(3, 1, 1)", "z.repeat((2, 1))", "z.repeat(2, 2, 1)",
    "torch.tile(z, (2, 1))", "z.tile(2)", "torch.arange(S).tile((2,))", "z.tile((3, 1, 1))", "x.tile(2)",
    "torch.arange(S).repeat_interleave(2)", "torch.repeat_interleave(torch.arange(S), V)",
    "z.repeat_interleave(2, dim=0)", "z.repeat_interleave(2)", "torch.repeat_interleave(z, 3, dim=1)",
    "z.repeat_interleave(repeats=2, dim=-1)", "z.repeat_interleave(torch.full((N,), 2), dim=0)",
    "t.repeat_interleave(torch.ones(N).long())", "t.expand(S, N)", "z.expand(2, -1, -1)", "col.expand(-1, S)",
    "col.expand(N, S)", "t.expand(2, -1).reshape(-1)", "t.unsqueeze(0).expand(S, -1)", "t.expand((S, N))",
    "z.expand(S, D)", "torch.broadcast_to(t, (S, N))", "t.broadcast_to((2, S))", "col.expand_as(sim)",
    "t.expand_as(torch.ones(S, N))", "z.expand_as(x)", "torch.kron(torch.ones(2, 2), torch.eye(S))",
    "torch.kron(torch.eye(S), torch.ones(2, 2))", "torch.kron(t, torch.ones(2))", "torch.kron(t, z)",
    "torch.kron(torch.ones(2, 1), torch.eye(S))", "torch.block_diag(sim, torch.eye(S))",
    "torch.block_diag(*[torch.ones(2, 2) for _ in range(S)])", "torch.block_diag(*[torch.ones(2, 2)] * S)",
    "torch.block_diag(t, sim)", "torch.block_diag(z, q)",
    "torch.meshgrid(torch.arange(S), torch.arange(D), indexing='ij')", "torch.meshgrid(y, idx, indexing='xy')",
    "torch.meshgrid([y, idx], indexing='ij')", "torch.meshgrid(y, idx)",
    "a, b = torch.meshgrid(y, torch.arange(S), indexing='ij')\na == b", "torch.outer(t, torch.arange(S))",
    "torch.ger(t, t)", "t.outer(t)", "torch.cartesian_prod(torch.arange(S), torch.arange(S))",
    "torch.cartesian_prod(y, idx)", "torch.cartesian_prod(t)", "torch.combinations(torch.arange(S))",
    "F.pad(z, (1, 2))", "F.pad(z, (0, 0, 1, 0))", "F.pad(sim, (S, 0))", "F.pad(sim, [1, 1, 1, 1], value=0)",
    "F.pad(torch.arange(S), (2, 3))", "F.pad(z, pad=(0, 0, 0, S))",
]  # fmt: skip

TAKING = [
    "z[0]", "z[-1]", "z[:S]", "z[S:]", "z[:-S]", "z[-S:]", "z[1:]", "z[:-1]", "z[::2]", "z[1::2]", "z[:N // 2]",
    "z[:, 0]", "z[:, None]", "z[None]", "z[:, None, :]", "z[None, :, :]", "z[..., 0]", "z[..., None]", "x[..., :S, 0]",
    "x[0, ...]", "x[:, :S]", "x[0]", "x[0, :, 1]", "x[:, 0]", "z[:, :2]", "x[1:]", "z[0:1]", "z[[0, 1]]",
    "z[[0, 1], [1, 0]]", "x[0, y]", "x[:, y, 0]", "x[0, :, [0, 1]]", "x[y[:2], :, y[:2]]", "z[:10000]", "z[2:4]",
    "z[1:S]", "z[S:2 * S]", "z[:2 * S]", "z[-2:]", "z[idx]", "z[y]", "sim[y, y]", "sim[torch.arange(S), y]",
    "sim[torch.arange(N), torch.arange(S)]", "z[torch.arange(N) // 2]", "sim[y[:, None], idx]", "z[torch.randperm(S)]",
    "z[[i for i in range(S)]]", "z[keep]", "z[torch.ones(S).bool()]", "sim[mask]", "sim[torch.eye(S).bool()]",
    "sim[~torch.eye(S).bool()].view(N, -1)", "sim[~mask]", "x[:, keep]", "z[:, torch.ones(S).bool()]",
    "sim[mask & ~torch.eye(S).bool()]", "sim[~torch.eye(S, dtype=torch.bool)]", "x[torch.ones(V, S).bool()]",
    "t[t > 0.5]", "sim[sim > 0.5]", "sim[torch.eye(N).bool()].view(N, -1)",
    "sim[torch.tril_indices(N, N, -1)[0], torch.tril_indices(N, N, -1)[1]]",
    "r, c = torch.tril_indices(S, S, -1)\n(r, c)", "r, c = torch.triu_indices(N, N, 1)\nsim[r, c]", "y[idx]",
    "z[:, y[:2]]", "sim[0, 0]", "sim[0][1]", "z[(0, 1)]", "z[-1:, :]", "z[None, None]", "z[:, [0, 2]]", "sim[:S, S:]",
    "sim[:S, :S]", "z[True]", "sim[y, :]", "sim[:, y]", "x[:, :, 0][0]", "z[range(2)]", "z[slice(0, 2)]",
    "z[torch.tensor([True] * N)]", "z[torch.tensor(0)]", "z[y == 0]", "x[y[:1].bool().any()]",
    "z[torch.tensor([0, 1])]", "z[torch.tensor([i for i in range(S)]) % N]", "sim[torch.arange(N), :2]",
    "sim[:2, torch.arange(N)]", "x[0][:, :2]", "x[:, None][:, 0]", "x[y[:2, None], y[:2]]",
    "x[:, torch.arange(N), None]", "x[0, None, y]", "x[[0, 1], :, 0]", "list(z)", "len(z)", "len(x[0])", "len([z, w])",
    "z.split(S)", "z.split(N)", "torch.split(z, N // 2)", "a, b = z.split(N // 2)\n(a, b)", "a, b = z.split(S)\n(a, b)",
    "torch.split(z, [S, N - S])", "z.split([N // 2, N // 2])", "torch.split(z, [S, S])",
    "z.split_with_sizes([1, N - 1])", "torch.split(x, 1, dim=0)",
    "a, b = torch.split(z, split_size_or_sections=[S, N - S], dim=0)\na", "z.split(2, dim=1)", "z.split(1)",
    "a, b, c = z.split(S)\nc", "a, b = z.split([2, N - 2])\nb", "z.chunk(2)", "torch.chunk(z, 2, dim=0)",
    "x.chunk(2, dim=1)", "a, b = z.chunk(2)\na * b", "torch.chunk(torch.cat([z, w]), 2)", "z.chunk(4)", "z.chunk(S)",
    "torch.tensor_split(z, 2)", "torch.tensor_split(z, 3)", "z.tensor_split(2, dim=1)", "z.tensor_split((1, 2))",
    "torch.vsplit(z, 2)", "torch.hsplit(sim, 2)", "torch.hsplit(t, 2)", "torch.dsplit(x, 1)", "x.unbind(0)",
    "x.unbind(1)", "torch.unbind(x)", "torch.unbind(z, dim=1)", "z.narrow(0, 1, 2)", "z.narrow(0, 0, S)",
    "torch.narrow(z, 0, 0, N // 2)", "x.select(0, 1)", "torch.select(x, 1, 0)", "z.index_select(0, idx)",
    "torch.index_select(sim, 1, y)", "torch.take(sim, y)", "sim.take(idx)",
    "z.index_select(dim=0, index=torch.arange(N))", "sim.gather(1, y.view(-1, 1))", "torch.gather(sim, 1, y[:, None])",
    "sim.gather(dim=1, index=idx.expand(N, -1))", "torch.take_along_dim(sim, y[:, None], dim=1)",
    "sim.take_along_dim(y[:, None], 1)", "sim.masked_select(mask)", "torch.masked_select(sim, torch.eye(S).bool())",
    "torch.masked_select(z, keep[:, None])", "sim.masked_select(~torch.eye(N).bool()).view(N, -1)", "torch.diag(sim)",
    "torch.diag(sim, S // 2)", "torch.diag(sim, -1)", "torch.diag(t)", "torch.diag(t, 1)", "torch.diag(t, -2)",
    "sim.diag()", "sim.diagonal()", "sim.diagonal(1)", "sim.diagonal(offset=-1)", "x.diagonal(dim1=1, dim2=2)",
    "torch.diagonal(x, 0, 0, 1)", "torch.diagonal(sim, -S)", "z.diagonal()", "torch.diag(z)", "torch.diag(z @ q.T)",
    "torch.cat([sim.diagonal(N // 2), sim.diagonal(-(N // 2))])", "torch.diag(sim, S - 1)", "torch.diag(sim, 1 - N)",
    "torch.diag_embed(t)", "torch.diag_embed(t, offset=1)", "torch.diag_embed(z)", "torch.diagflat(t)",
    "torch.diagflat(t, -1)", "torch.diagflat(z)", "sim.topk(2)", "torch.topk(sim, 2, dim=0)", "sim.topk(k=3, dim=1)[0]",
    "sim.sort()", "torch.sort(t, descending=True)", "sim.sort(dim=0)[1]", "sim.kthvalue(2, dim=1)", "sim.mode()",
    "torch.sort(sim, dim=1).values", "values, places = sim.topk(2, dim=1)\nvalues",
    "torch.where(mask, sim, torch.zeros_like(sim))", "torch.where(torch.eye(S).bool(), sim, 0.0)",
    "torch.where(keep, t, y.float())", "torch.where(keep)", "sim.where(mask, torch.tensor(0.0))",
    "torch.where(mask)[0]", "torch.where(keep[:, None], z, w)", "torch.where(mask, -1e9, 0.0)",
    "torch.where(keep[:, None], 0.0, sim)", "mask.nonzero()", "torch.nonzero(mask)", "keep.nonzero(as_tuple=True)",
    "torch.nonzero(mask, as_tuple=True)", "torch.argwhere(mask)", "y.unique()", "torch.unique(y)", "torch.unique(z)",
    "torch.unique(y, return_counts=True)", "torch.unique(y, True, True)", "torch.nonzero(keep).squeeze(1)",
]  # fmt: skip
