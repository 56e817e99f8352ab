package fblwatch_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestSignatures holds that no internal type appears in what a public package
// exports: another module could not name it.
func TestSignatures(t *testing.T) {
	for _, name := range []string{"callbacks", "report", "imapclient"} {
		files, err := filepath.Glob(filepath.Join(name, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s has no files: %v", name, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, exposed := range internalTypes(tree) {
				t.Errorf("%s: %s", file, exposed)
			}
		}
	}
}

// internalTypes lists the exported declarations that name a type of an internal
// package, as "declaration names package.Type".
func internalTypes(file *ast.File) (exposed []string) {
	internal := make(map[string]bool) // by the name in this file
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		if !strings.HasPrefix(path, module+"/internal/") {
			continue
		}
		name := path[strings.LastIndexByte(path, '/')+1:]
		if i.Name != nil {
			name = i.Name.Name
		}
		internal[name] = true
	}
	look := func(declared string, node ast.Node) {
		ast.Inspect(node, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.Field: // of a struct: only exported fields show
				if len(n.Names) > 0 && !slices.ContainsFunc(n.Names, (*ast.Ident).IsExported) && declared[0] == '*' {
					return false
				}
			case *ast.SelectorExpr:
				if of, ok := n.X.(*ast.Ident); ok && internal[of.Name] {
					exposed = append(exposed, strings.TrimPrefix(declared, "*")+" names "+of.Name+"."+n.Sel.Name)
				}
			}
			return true
		})
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if !d.Name.IsExported() || d.Recv != nil && !exportedReceiver(d.Recv) {
				continue
			}
			look(d.Name.Name, d.Type)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() {
						look("*"+spec.Name.Name, spec.Type)
					}
				case *ast.ValueSpec:
					if spec.Type != nil && slices.ContainsFunc(spec.Names, (*ast.Ident).IsExported) {
						look(spec.Names[0].Name, spec.Type)
					}
				}
			}
		}
	}
	return exposed
}

func exportedReceiver(fields *ast.FieldList) bool {
	of := fields.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	name, ok := of.(*ast.Ident)
	return ok && name.IsExported()
}

func TestInternalTypes(t *testing.T) {
	const source = `package report
import ("github.com/fblwatch/fblwatch/internal/message"; other "github.com/fblwatch/fblwatch/internal/backoff"; "net/mail")
func Parse(m message.Tree) error
func (r *Report) Tree() *message.Tree { return nil }
func (r *hidden) Tree() *message.Tree { return nil }
func inner(m message.Tree)
func Address(a mail.Address)
type Report struct { tree message.Tree; Wait other.Backoff }
type Alias = message.Tree
type each func(message.Tree)
var First, second []message.Tree
var Made = func(m message.Tree) bool { return true }
`
	tree, err := parser.ParseFile(token.NewFileSet(), "x.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Parse names message.Tree", "Tree names message.Tree", "Report names other.Backoff", "Alias names message.Tree", "First names message.Tree"}
	if got := internalTypes(tree); !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
